//! The cost of requests: `meter` sums all attempts of one request.

mod meter;

pub use meter::Meter;
