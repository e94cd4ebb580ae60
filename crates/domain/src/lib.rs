//! The rules of Assay: what may happen to a case and its people, decided purely, without clock, chance, disk or network.
//!
//! Read in this order: [`aggregate`] (the three words every rule is made of), [`policy`] (who may),
//! [`value`] (what sources say, with nothing rounded off), [`personal`] (what must be forgettable),
//! then the subjects: [`user`], [`case`], [`source`], [`report`], [`claim`], [`link`]; and what
//! watches over them: [`finding`], [`access`], [`replay`], [`erasure`], [`adoption`], [`log_key`].

pub mod aggregate;
pub mod id;
pub mod personal;
pub mod policy;
mod refusal;
#[cfg(feature = "schema")]
mod schema;
pub mod text;
pub mod value;

pub mod access;
pub mod adoption;
pub mod case;
pub mod claim;
pub mod erasure;
pub mod finding;
pub mod link;
pub mod log_key;
pub mod replay;
pub mod report;
pub mod source;
pub mod user;

#[cfg(test)]
mod testing;
