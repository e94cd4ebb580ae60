//! The steps of one case, read from the views as they are asked for: nothing after one moment is in them.

mod naming;

use assay_domain::id::CaseId;
use assay_views::cases::{self, CaseDoc};
use assay_views::db::moment;
use assay_views::steps::{self, Step, Walk};
use assay_views::{At, Cursor, Limit, Page, Reader, Sight};

use super::case::{self, Shown};
use super::frame::Frame;
use super::tell::tell;
use super::text::{clean, fold_all, joined};
use crate::exit::usage;
use crate::viewing::{all, as_of};
use crate::words::{self, Names};

/// How many steps are read at once.
const STEPS_AT_ONCE: u16 = 50;
/// How many steps one search looks at before it says that it did not find anything yet.
pub(super) const FIND_STEPS_MAX: u64 = 2_000;

/// What a search came to.
#[derive(Debug)]
pub(super) enum Found {
    /// Here.
    Here(Box<Frame>),
    /// Not up to the last step.
    Nowhere,
    /// Not yet: the last step that was looked at ends there.
    NotUpTo(u64),
}

/// A case on tape.
#[derive(Debug)]
pub(super) struct Tape {
    reader: Reader,
    sight: Sight,
    case: CaseId,
    upto: u64,
}

impl Tape {
    /// A case up to a moment; refuses one that did not exist then.
    pub(super) fn of(reader: Reader, case: CaseId, upto: u64) -> anyhow::Result<Self> {
        let tape = Self { reader, sight: Sight::house(), case, upto };
        if cases::one(&tape.reader, &tape.sight, At::Position(upto), case)?.is_none() {
            return Err(usage(format!("there was no case {case} at that moment")));
        }
        Ok(tape)
    }

    /// The moment in words: "entry 17, recorded …".
    pub(super) fn end(&self) -> anyhow::Result<String> {
        Ok(words::moment(moment(&self.reader, At::Position(self.upto))?))
    }

    /// The position somebody means with a position or an instant; refuses what is after the end.
    pub(super) fn position(&self, text: &str) -> anyhow::Result<u64> {
        let meant = as_of(&self.reader, text.trim())?.position;
        if text.trim().parse::<u64>().is_ok() && meant > self.upto {
            return Err(usage(format!(
                "this replay ends at entry {}; {meant} is later",
                self.upto
            )));
        }
        Ok(meant.min(self.upto))
    }

    /// The first step.
    pub(super) fn first(&self) -> anyhow::Result<Option<Frame>> {
        let page = self.page(0, None, 1)?;
        page.items.first().map(|item| self.frame(serde_json::from_str(item.get())?)).transpose()
    }

    /// The last step.
    pub(super) fn last(&self) -> anyhow::Result<Option<Frame>> {
        self.holding(self.upto)
    }

    /// The step that holds a position, or the last before it.
    pub(super) fn holding(&self, position: u64) -> anyhow::Result<Option<Frame>> {
        let at = At::Position(self.upto);
        let step = steps::at(&self.reader, &self.sight, self.case, at, position)?;
        step.map(|step| self.frame(step)).transpose()
    }

    /// The step that holds a position, or the first after it.
    pub(super) fn from(&self, position: u64) -> anyhow::Result<Option<Frame>> {
        match self.holding(position)? {
            Some(frame) if frame.step.act.position >= position => Ok(Some(frame)),
            Some(frame) => match frame.step.next {
                Some(next) => self.holding(next),
                None => Ok(None),
            },
            None => self.first(),
        }
    }

    /// Hands over the steps after a position, one by one, for as long as they are wanted.
    pub(super) fn after(
        &self,
        position: u64,
        mut take: impl FnMut(Frame) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let mut cursor: Option<Cursor> = None;
        loop {
            let page = self.page(position, cursor.as_ref(), STEPS_AT_ONCE)?;
            for item in &page.items {
                if !take(self.frame(serde_json::from_str(item.get())?)?)? {
                    return Ok(());
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// The first step after a position that says certain words, in capital letters or small ones.
    pub(super) fn find(&self, words: &str, after: u64) -> anyhow::Result<Found> {
        let (words, mut looked_at) = (words.to_lowercase(), 0_u64);
        let mut found = Found::Nowhere;
        self.after(after, |frame| {
            if text_of(&frame).to_lowercase().contains(&words) {
                found = Found::Here(Box::new(frame));
                return Ok(false);
            }
            looked_at = looked_at.saturating_add(1);
            if looked_at == FIND_STEPS_MAX && frame.step.next.is_some() {
                found = Found::NotUpTo(frame.step.act.position);
                return Ok(false);
            }
            Ok(true)
        })?;
        Ok(found)
    }

    /// The whole case as it stood after a position, as `--as-of` prints it.
    pub(super) fn whole(&self, position: u64) -> anyhow::Result<String> {
        let (reader, sight, at) = (&self.reader, &self.sight, At::Position(position));
        let people =
            all(|cursor, limit| assay_views::users::page(reader, sight, at, cursor, limit))?;
        let names = Names::of(people);
        let mut out = Vec::new();
        case::print(&mut out, &Shown { reader, sight, at, case: self.case, names: &names })?;
        Ok(String::from_utf8(out)?)
    }

    fn page(&self, after: u64, cursor: Option<&Cursor>, limit: u16) -> anyhow::Result<Page> {
        let (at, walk) = (At::Position(self.upto), Walk { after, forward: true });
        let limit = Limit::new(limit)?;
        Ok(steps::page(&self.reader, &self.sight, self.case, at, walk, cursor, limit)?)
    }

    fn frame(&self, step: Step) -> anyhow::Result<Frame> {
        let at = At::Position(step.act.position);
        let document = cases::one(&self.reader, &self.sight, at, self.case)?;
        let case: Option<CaseDoc> =
            document.map(|document| serde_json::from_str(&document.json)).transpose()?;
        let forgotten = || "(title forgotten)".to_owned();
        let known = naming::names(&self.reader, &self.sight, &step)?;
        Ok(Frame {
            title: case.as_ref().and_then(|case| case.title.clone()).unwrap_or_else(forgotten),
            marking: case.as_ref().map(|case| case.marking).unwrap_or_default(),
            closed: case.is_some_and(|case| case.closed.is_some()),
            step,
            known,
        })
    }
}

/// Everything a step says, as one text.
pub(super) fn text_of(frame: &Frame) -> String {
    let told = joined(&fold_all(&tell(frame), usize::MAX));
    format!("{}\n{}\n{told}", clean(&frame.place()), clean(&frame.doer()))
}
