//! The REST API: parse at the door, ask the house once, answer; described completely by its OpenAPI document.
//!
//! Read in this order: [`settings`] (what an operator may set), [`app`] (what every worker shares),
//! `door` (what a request must look like), `caller` and `token` and `sessions` (who asks),
//! `write` and the subjects `users`, `cases`, `sources`, `reports`, `claims`, `verdicts`, `links`
//! (changing things), `reads` (looking at them, now or then), [`reading`] (what is
//! recorded of that), `login` and `me` and [`accounts`]
//! (credentials), [`imports`] (files at volume), [`problem`] (how anything can end otherwise), `layer` (what is put around every
//! answer), `routes` and [`openapi`] (what there is), `health`, [`server`].

pub mod accounts;
pub mod app;
mod audit;
pub mod bundles;
mod caller;
mod cases;
mod claims;
mod door;
mod erasures;
mod findings;
mod health;
pub mod imports;
mod layer;
mod ledger;
mod links;
mod login;
mod me;
pub mod openapi;
pub mod problem;
pub mod reading;
mod reads;
mod refresh;
mod replays;
mod reports;
mod routes;
pub mod server;
mod sessions;
pub mod settings;
mod sources;
mod token;
pub mod upstream;
mod users;
mod verdicts;
mod write;

pub use app::{App, Forget, Parts, StartError};
pub use server::serve;
pub use settings::Settings;
