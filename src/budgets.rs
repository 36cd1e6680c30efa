//! The cost of requests, and the user's limits on it.
//!
//! `meter` sums all attempts of one request. `ledger` is the state of all budgets: pure, with time as an input. `payer`
//! tells the accounts and limits of a request, `budget` what a limit is. `service` owns the ledger, stores the user's changes
//! in the usage database and has the notices for VS Code.

mod budget;
mod ledger;
mod meter;
mod moment;
mod payer;
mod service;

pub use ledger::Estimate;
pub use meter::{AttemptId, Meter};
pub use payer::Payer;
pub use service::{BudgetService, Reservation};
