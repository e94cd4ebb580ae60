//! The stepper in a terminal: keys in, rows out, and the terminal given back however it ends.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode, size,
};
use crossterm::{execute, queue};

use super::frame::Frame;
use super::screen::screen;
use super::stepper::{Key, Place, Reply, Stepper, Wish};
use super::tape::{FIND_STEPS_MAX, Found, Tape};
use super::text::{Row, Tone};
use crate::exit::Usage;

/// How long a signal may go unseen while nobody presses a key.
const LOOK_UP_EVERY: Duration = Duration::from_millis(200);

/// Whether the terminal is ours, so that it is given back once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours.
#[derive(Debug)]
struct Window;

impl Window {
    fn open() -> io::Result<Self> {
        give_back_on_panic();
        TAKEN.store(true, Ordering::SeqCst);
        let window = Self;
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        Ok(window)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        give_back();
    }
}

/// Makes the terminal what it was. If that fails there is nobody left to tell: it is gone.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        drop(execute!(io::stdout(), ResetColor, SetAttribute(Attribute::Reset), Show));
        drop(execute!(io::stdout(), LeaveAlternateScreen));
        drop(disable_raw_mode());
    }
}

/// What a panic says must stand on the terminal's own screen, not on the one that goes away.
fn give_back_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        give_back();
        before(info);
    }));
}

/// Steps until somebody quits or the process is told to stop.
pub(super) fn run(tape: &Tape, frame: Frame, stop: &AtomicBool) -> anyhow::Result<()> {
    let (columns, rows) = size().context("asking the terminal for its size")?;
    let mut stepper = Stepper::on(frame, columns.into(), rows.into());
    let _window = Window::open().context("taking the terminal over")?;
    draw(&stepper)?;
    while !stop.load(Ordering::SeqCst) {
        if !event::poll(LOOK_UP_EVERY)? {
            continue;
        }
        let wish = match event::read()? {
            Event::Key(pressed) => key(pressed).and_then(|key| stepper.press(key)),
            Event::Resize(columns, rows) => stepper.resize(columns.into(), rows.into()),
            Event::FocusGained | Event::FocusLost | Event::Mouse(_) => continue,
        };
        match wish {
            Some(Wish::Quit) => return Ok(()),
            Some(wish) => stepper.take(grant(tape, wish)?),
            None => (),
        }
        draw(&stepper)?;
    }
    Ok(())
}

fn key(pressed: KeyEvent) -> Option<Key> {
    if pressed.kind == KeyEventKind::Release {
        return None;
    }
    let held = pressed.modifiers;
    Some(match pressed.code {
        KeyCode::Char('c') if held.contains(KeyModifiers::CONTROL) => Key::Interrupt,
        KeyCode::Char(c) if held.difference(KeyModifiers::SHIFT).is_empty() => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        _ => return None,
    })
}

/// Gives what a key asked for; what was asked wrongly is said in the window, a fault ends it.
fn grant(tape: &Tape, wish: Wish) -> anyhow::Result<Reply> {
    match granted(tape, wish) {
        Err(error) if error.downcast_ref::<Usage>().is_some() => {
            Ok(Reply::Said(format!("{error:#}")))
        }
        other => other,
    }
}

fn granted(tape: &Tape, wish: Wish) -> anyhow::Result<Reply> {
    let frame = match wish {
        Wish::Show(Place::First) => tape.first()?,
        Wish::Show(Place::Last) => tape.last()?,
        Wish::Show(Place::Holding(position)) => tape.holding(position)?,
        Wish::Show(Place::Moment(text)) => tape.holding(tape.position(&text)?)?,
        Wish::Find { words, after } => return found(tape, &words, after),
        Wish::Whole(position) => return Ok(Reply::Whole(tape.whole(position)?)),
        Wish::Keep { name, text } => return Ok(Reply::Said(keep(&name, &text))),
        Wish::Quit => None,
    };
    let none = || Reply::Said("The case did not exist yet.".to_owned());
    Ok(frame.map_or_else(none, |frame| Reply::Frame(Box::new(frame))))
}

fn found(tape: &Tape, words: &str, after: u64) -> anyhow::Result<Reply> {
    Ok(match tape.find(words, after)? {
        Found::Here(frame) => Reply::Frame(frame),
        Found::Nowhere => Reply::Said(format!("No later step says “{words}”.")),
        Found::NotUpTo(position) => Reply::NotUpTo(
            position,
            format!("Not in {FIND_STEPS_MAX} steps up to entry {position}; / and Enter go on."),
        ),
    })
}

/// Writes a page to a new file that only its owner may read: it is as confidential as the case.
fn keep(name: &str, text: &str) -> String {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(name);
    match file.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => format!("Written to {name}."),
        Err(error) => format!("Not written to {name}: {error}"),
    }
}

fn draw(stepper: &Stepper) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let rows = screen(stepper);
    if rows.len() < stepper.rows {
        queue!(out, Clear(ClearType::All))?;
    }
    for (at, row) in (0_u16..).zip(&rows) {
        // Cleared before and not after: behind a full row the cursor stands on its last character.
        queue!(out, MoveTo(0, at), Clear(ClearType::CurrentLine))?;
        put(&mut out, row)?;
    }
    out.flush()
}

fn put(out: &mut impl io::Write, row: &Row) -> io::Result<()> {
    match row.tone {
        Tone::Plain => (),
        Tone::Strong => queue!(out, SetAttribute(Attribute::Bold))?,
        Tone::Faint => queue!(out, SetAttribute(Attribute::Dim))?,
        Tone::Old => queue!(out, SetForegroundColor(Color::Red))?,
        Tone::New => queue!(out, SetForegroundColor(Color::Green))?,
        Tone::Bar => queue!(out, SetAttribute(Attribute::Reverse))?,
    }
    queue!(out, Print(&row.text), SetAttribute(Attribute::Reset), ResetColor)
}
