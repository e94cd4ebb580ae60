//! The stepper: what is shown, and what a key changes of it or asks for; no terminal, no files.

mod prompt;

use prompt::{Prompt, Typed};

use super::frame::Frame;
use super::screen;

/// A key, whatever terminal sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Enter,
    Escape,
    Backspace,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    PageUp,
    PageDown,
    /// Ctrl-C.
    Interrupt,
}

/// A step somebody wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    First,
    Last,
    /// The step that holds a position.
    Holding(u64),
    /// The step at a position or an instant, as it was typed.
    Moment(String),
}

/// What a key asks for that only the outside can give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Another step.
    Show(Place),
    /// The next step after a position that says these words.
    Find { words: String, after: u64 },
    /// The whole case as of a position.
    Whole(u64),
    /// This text in a new file.
    Keep { name: String, text: String },
    /// The end.
    Quit,
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    /// Another step.
    Frame(Box<Frame>),
    /// The whole case, as text.
    Whole(String),
    /// Not found up to a position; asked again, the search goes on there.
    NotUpTo(u64, String),
    /// Only words.
    Said(String),
}

/// What fills the window between header and footer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum View {
    /// The step itself.
    Step,
    /// The whole case as it stood after it.
    Whole(String),
    /// The keys.
    Help,
}

/// The state of the window.
#[derive(Clone, Debug)]
pub(super) struct Stepper {
    pub(super) frame: Frame,
    pub(super) view: View,
    /// How many rows of the middle are above the window.
    pub(super) scroll: usize,
    /// What is being typed.
    pub(super) prompt: Option<Prompt>,
    /// What is to be said once, until the next key.
    pub(super) said: Option<String>,
    pub(super) columns: usize,
    pub(super) rows: usize,
    sought: String,
    sought_up_to: Option<u64>,
}

impl Stepper {
    /// A window of a size, on a step.
    pub(super) fn on(frame: Frame, columns: usize, rows: usize) -> Self {
        Self {
            frame,
            view: View::Step,
            scroll: 0,
            prompt: None,
            said: None,
            columns,
            rows,
            sought: String::new(),
            sought_up_to: None,
        }
    }

    /// The window has another size now; the whole case is asked for again, since its tables have a width.
    pub(super) fn resize(&mut self, columns: usize, rows: usize) -> Option<Wish> {
        (self.columns, self.rows) = (columns, rows);
        self.scroll = self.scroll.min(screen::scroll_max(self));
        matches!(self.view, View::Whole(_)).then(|| Wish::Whole(self.position()))
    }

    /// A key is pressed.
    pub(super) fn press(&mut self, key: Key) -> Option<Wish> {
        self.said = None;
        if key == Key::Interrupt {
            return Some(Wish::Quit);
        }
        match self.prompt.take() {
            Some(prompt) => match prompt.press(key) {
                Typed::More(prompt) => {
                    self.prompt = Some(prompt);
                    None
                }
                Typed::Done(prompt) => self.typed(prompt),
                Typed::Dropped => None,
            },
            None => self.act(key),
        }
    }

    fn act(&mut self, key: Key) -> Option<Wish> {
        let page = screen::body_rows(self).saturating_sub(1).max(1);
        match key {
            Key::Right | Key::Char('n' | ' ') => return self.go(self.frame.step.next, "last"),
            Key::Left | Key::Char('p') => return self.go(self.frame.step.previous, "first"),
            Key::Home => return Some(Wish::Show(Place::First)),
            Key::End => return Some(Wish::Show(Place::Last)),
            Key::Down | Key::Char('j') => self.scroll_by(1, true),
            Key::Up | Key::Char('k') => self.scroll_by(1, false),
            Key::PageDown => self.scroll_by(page, true),
            Key::PageUp => self.scroll_by(page, false),
            Key::Char('g') => self.prompt = Some(Prompt::go()),
            Key::Char('/') => self.prompt = Some(Prompt::find()),
            Key::Char('w') => self.prompt = Some(Prompt::keep(&self.file_name())),
            Key::Char('s') if matches!(self.view, View::Whole(_)) => self.look(View::Step),
            Key::Char('s') => return Some(Wish::Whole(self.position())),
            Key::Char('?') if self.view == View::Help => self.look(View::Step),
            Key::Char('?') => self.look(View::Help),
            Key::Char('q') | Key::Interrupt => return Some(Wish::Quit),
            Key::Escape => self.look(View::Step),
            Key::Char(_) | Key::Enter | Key::Backspace => {
                self.said = Some("No such key; ? shows them all.".to_owned());
            }
        }
        None
    }

    /// What was asked for is here.
    pub(super) fn take(&mut self, reply: Reply) {
        match reply {
            Reply::Frame(frame) => {
                self.frame = *frame;
                self.sought_up_to = None;
                self.look(View::Step);
            }
            Reply::Whole(text) => {
                let again = matches!(self.view, View::Whole(_));
                let scroll = if again { self.scroll } else { 0 };
                self.look(View::Whole(text));
                self.scroll = scroll.min(screen::scroll_max(self));
            }
            Reply::NotUpTo(position, words) => {
                self.sought_up_to = Some(position);
                self.said = Some(words);
            }
            Reply::Said(words) => self.said = Some(words),
        }
    }

    /// Where this step ends: as of there, all of it is done.
    fn position(&self) -> u64 {
        self.frame.step.act.position
    }

    fn go(&mut self, to: Option<u64>, edge: &str) -> Option<Wish> {
        if to.is_none() {
            self.said = Some(format!("This is the {edge} step."));
        }
        to.map(|position| Wish::Show(Place::Holding(position)))
    }

    fn look(&mut self, view: View) {
        self.view = view;
        self.scroll = 0;
    }

    fn scroll_by(&mut self, rows: usize, down: bool) {
        let to =
            if down { self.scroll.saturating_add(rows) } else { self.scroll.saturating_sub(rows) };
        self.scroll = to.min(screen::scroll_max(self));
    }

    /// A name that says which step and which page of it.
    fn file_name(&self) -> String {
        let page = match self.view {
            View::Step => "step",
            View::Whole(_) => "case-as-of",
            View::Help => "help",
        };
        format!("replay-{page}-{}.txt", self.position())
    }

    fn typed(&mut self, prompt: Prompt) -> Option<Wish> {
        match prompt {
            Prompt::Go(text) if text.trim().is_empty() => None,
            Prompt::Go(text) => Some(Wish::Show(Place::Moment(text.trim().to_owned()))),
            Prompt::Find(text) => {
                if !text.trim().is_empty() && text != self.sought {
                    (self.sought, self.sought_up_to) = (text, None);
                }
                if self.sought.is_empty() {
                    return None;
                }
                let after = self.sought_up_to.unwrap_or_else(|| self.position());
                Some(Wish::Find { words: self.sought.clone(), after })
            }
            Prompt::Keep(name) if name.trim().is_empty() => None,
            Prompt::Keep(name) => {
                let name = name.trim().to_owned();
                Some(Wish::Keep { name, text: screen::whole_text(self) })
            }
        }
    }
}

#[cfg(test)]
mod tests;
