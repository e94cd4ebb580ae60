//! One line that is being typed: where to go, what to find, under which name to keep a page.

use super::Key;

/// More than this nobody types.
const TYPED_CHARS_MAX: usize = 500;

/// What is asked, and what was typed so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::replay) enum Prompt {
    /// To which position or instant.
    Go(String),
    /// Which words.
    Find(String),
    /// Into which new file.
    Keep(String),
}

/// What a key made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// It goes on.
    More(Prompt),
    /// It is typed.
    Done(Prompt),
    /// Never mind.
    Dropped,
}

impl Prompt {
    pub(super) const fn go() -> Self {
        Self::Go(String::new())
    }

    pub(super) const fn find() -> Self {
        Self::Find(String::new())
    }

    /// With a name that may stay as it is.
    pub(super) fn keep(name: &str) -> Self {
        Self::Keep(name.to_owned())
    }

    /// The question.
    pub(in crate::replay) const fn question(&self) -> &'static str {
        match self {
            Self::Go(_) => "Go to which position (17) or instant (2018-01-13T12:00:00Z)? ",
            Self::Find(_) => "Find in the steps after this one (empty: the same again): ",
            Self::Keep(_) => "Write this page to a new file: ",
        }
    }

    /// What was typed so far.
    pub(in crate::replay) fn text(&self) -> &str {
        match self {
            Self::Go(text) | Self::Find(text) | Self::Keep(text) => text,
        }
    }

    pub(super) fn press(mut self, key: Key) -> Typed {
        let (Self::Go(text) | Self::Find(text) | Self::Keep(text)) = &mut self;
        match key {
            Key::Char(c) if !c.is_control() && text.chars().count() < TYPED_CHARS_MAX => {
                text.push(c);
            }
            Key::Backspace => drop(text.pop()),
            Key::Enter => return Typed::Done(self),
            Key::Escape | Key::Interrupt => return Typed::Dropped,
            Key::Char(_)
            | Key::Left
            | Key::Right
            | Key::Up
            | Key::Down
            | Key::Home
            | Key::End
            | Key::PageUp
            | Key::PageDown => (),
        }
        Typed::More(self)
    }
}
