//! What `make bench`, `make volume` and `make as-of` are made of: loads, their rivals in the same run, and one table.
//!
//! Read in this order: [`figures`] (medians, ratios, goals), [`table`] (how they are printed),
//! [`machine`] (what the kernel tells of processes), [`disk`] (F, the measure of all durable
//! things), [`appends`] (P1), [`syncs`] (P2), [`process`] (servers as children), [`wire`] and
//! [`load`] (a lean HTTP client and many of them), [`bare`] (the server that does nothing),
//! [`house`] (a data directory with people, reports and claims), [`rest`] (P4–P7), [`lag`] (P12),
//! [`rebuilds`] (P10, P16), [`goals`] (which figure stands beside which, and what is asked of it),
//! [`as_of`] (the past beside now, for `make as-of`), [`outgrow`] (a log on PostgreSQL, for `make outgrow`).

pub mod appends;
pub mod as_of;
pub mod bare;
pub mod disk;
pub mod figures;
pub mod goals;
pub mod house;
pub mod lag;
pub mod load;
pub mod machine;
pub mod outgrow;
pub mod process;
pub mod rebuilds;
pub mod rest;
pub mod syncs;
pub mod table;
pub mod wire;
