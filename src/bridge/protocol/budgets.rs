//! Budgets: the user's limits on what requests may cost, and the notices about them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The user's limits on what requests may cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Budgets {
    /// Limits of all clients together.
    pub all: BudgetLimits,
    /// Limits of single clients, by the name of their key or of their product.
    pub per_client: BTreeMap<String, BudgetLimits>,
}

/// Limits for a day and a month; absent ones don't limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BudgetLimits {
    /// Credits for a day, in local time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub per_day: Option<f64>,
    /// Credits for a month, in UTC as Copilot bills.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub per_month: Option<f64>,
    /// Tokens for a day, of models whose cost is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub tokens_per_day: Option<f64>,
    /// Tokens for a month, of models whose cost is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub tokens_per_month: Option<f64>,
}

/// A budget that is nearly or quite used up: shown to the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BudgetNotice {
    /// The budget: `ChangeBudget` names it.
    pub budget: String,
    /// Sentence for the user.
    pub message: String,
    /// Label of the button that adds to it; absent while the budget is not used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub add: Option<String>,
}

/// The user's change of a budget; it takes effect at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChangeBudget {
    /// The budget, as its notice names it.
    pub budget: String,
    /// The change.
    pub change: BudgetChange,
}

/// A change of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum BudgetChange {
    /// Raise it for its current day or month, by as much as the button says.
    Add,
    /// Don't apply it until the end of the day, in local time.
    LiftToday,
}
