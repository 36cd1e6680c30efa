//! A budget: an account, a period and a unit; its limit, and the words about it.

use std::fmt;
use std::str::FromStr;

use super::moment::Moment;

/// Requests that are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// All requests.
    All,
    /// Those of a client, by its product in lower case.
    Client(String),
    /// Those with the key of this name.
    Key(String),
    /// Those of a session.
    Session(String),
}

impl fmt::Display for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Account::All => out.write_str("all"),
            Account::Client(name) => write!(out, "client:{name}"),
            Account::Key(name) => write!(out, "key:{name}"),
            Account::Session(name) => write!(out, "session:{name}"),
        }
    }
}

impl FromStr for Account {
    type Err = ();

    fn from_str(text: &str) -> Result<Account, ()> {
        match text.split_once(':') {
            None if text == "all" => Ok(Account::All),
            Some(("client", name)) => Ok(Account::Client(name.into())),
            Some(("key", name)) => Ok(Account::Key(name.into())),
            Some(("session", name)) => Ok(Account::Session(name.into())),
            Some(_) | None => Err(()),
        }
    }
}

/// Time for which a budget is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// A day, in local time.
    Day,
    /// A month, in UTC.
    Month,
    /// All time for which rows of the usage database are kept.
    Total,
}

/// Unit of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Billionths of a credit.
    Credits,
    /// Tokens of requests whose cost is unknown.
    Tokens,
}

/// Identity of a budget: `client:codex/day/credits`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BudgetId {
    /// Requests that it counts.
    pub account: Account,
    /// Time for which it is.
    pub window: Window,
    /// Its unit.
    pub unit: Unit,
}

impl fmt::Display for BudgetId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = match self.window {
            Window::Day => "day",
            Window::Month => "month",
            Window::Total => "total",
        };
        let unit = match self.unit {
            Unit::Credits => "credits",
            Unit::Tokens => "tokens",
        };
        write!(out, "{}/{window}/{unit}", self.account)
    }
}

impl FromStr for BudgetId {
    type Err = ();

    fn from_str(text: &str) -> Result<BudgetId, ()> {
        // A session's name may have a slash in it.
        let mut parts = text.rsplitn(3, '/');
        let (unit, window, account) = (parts.next(), parts.next(), parts.next());
        let unit = match unit {
            Some("credits") => Unit::Credits,
            Some("tokens") => Unit::Tokens,
            _ => return Err(()),
        };
        let window = match window {
            Some("day") => Window::Day,
            Some("month") => Window::Month,
            Some("total") => Window::Total,
            _ => return Err(()),
        };
        Ok(BudgetId { account: account.ok_or(())?.parse()?, window, unit })
    }
}

impl BudgetId {
    /// The period that `now` is in, as the usage database stores it; changes of a budget hold for one.
    pub fn period(&self, now: Moment) -> String {
        match self.window {
            Window::Day => now.day.to_string(),
            Window::Month => now.month.to_string(),
            Window::Total => String::new(),
        }
    }
}

/// Reason for which a budget exists: it decides on the advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The setting `copilotProxy.budgets`.
    Setting,
    /// The limits of the request's key.
    Key,
    /// The request's own header.
    Header,
}

/// A budget with its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The budget.
    pub id: BudgetId,
    /// Billionths of a credit, or tokens.
    pub amount: u64,
    /// Reason for which it exists.
    pub origin: Origin,
}

/// Credits that the user adds with one click, in billionths.
const ADDED_CREDITS: u64 = 50_000_000_000;

/// Tokens that the user adds with one click.
const ADDED_TOKENS: u64 = 1_000_000;

impl Unit {
    /// The amount that the user adds with one click.
    pub fn added(self) -> u64 {
        match self {
            Unit::Credits => ADDED_CREDITS,
            Unit::Tokens => ADDED_TOKENS,
        }
    }

    /// Label of the button that adds it.
    pub fn add_label(self) -> &'static str {
        match self {
            Unit::Credits => "Add 50",
            Unit::Tokens => "Add 1M Tokens",
        }
    }

    /// An amount in words: `12.5 credits`.
    pub fn words(self, amount: u64) -> String {
        match self {
            Unit::Credits => format!("{} credits", credits(amount)),
            Unit::Tokens => format!("{amount} tokens"),
        }
    }
}

/// Credits with up to two digits after the point, more for less than a hundredth.
#[expect(clippy::cast_precision_loss, reason = "exact up to nine million credits")]
fn credits(nano: u64) -> String {
    let credits = nano as f64 / 1e9;
    let text = if nano > 0 && nano < 10_000_000 { format!("{credits:.6}") } else { format!("{credits:.2}") };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Limit {
    /// The budget in words: `the budget of 20 credits a day for codex`.
    pub fn words(&self, amount: u64) -> String {
        let BudgetId { account, window, unit } = &self.id;
        let amount = unit.words(amount);
        let window = match window {
            Window::Day => " a day",
            Window::Month => " a month",
            Window::Total => "",
        };
        match account {
            Account::All => format!("the budget of {amount}{window}"),
            Account::Client(name) => format!("the budget of {amount}{window} for {name}"),
            Account::Key(name) => format!("the budget of {amount}{window} for the key {name}"),
            Account::Session(_) => format!("the budget of {amount}{window} for this session"),
        }
    }

    /// Time of its reset in words; empty for a budget without one.
    pub fn reset(&self, now: Moment) -> String {
        match self.id.window {
            Window::Day => "It starts again at midnight.".to_owned(),
            Window::Month => format!("It starts again on {} (UTC).", now.next_month().strftime("%-d %B")),
            Window::Total => String::new(),
        }
    }

    /// Advice for the user of a client whose request was refused.
    pub fn advice(&self) -> String {
        let buttons =
            format!("in VS Code choose {} or Lift for Today in the notification", self.id.unit.add_label());
        match self.origin {
            Origin::Setting => {
                format!("To go on now, {buttons}, or change the setting copilotProxy.budgets.")
            }
            Origin::Key => format!("To go on now, {buttons}, or raise the limit of the key."),
            Origin::Header => "To go on, send a higher limit in x-copilot-proxy-max-credits.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_is_read_as_it_was_written() {
        for text in [
            "all/day/credits",
            "client:codex/month/tokens",
            "key:a b/total/credits",
            "session:a/b:c/day/credits",
        ] {
            assert_eq!(text.parse::<BudgetId>().map(|id| id.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "all", "all/day", "all/day/euros", "all/hour/credits", "other:a/day/credits"] {
            assert_eq!(text.parse::<BudgetId>(), Err(()), "{text}");
        }
    }

    #[test]
    fn credits_have_no_needless_digits() {
        for (nano, text) in
            [(0, "0"), (20_000_000_000, "20"), (12_345_000_000, "12.35"), (1_234_000, "0.001234")]
        {
            assert_eq!(credits(nano), text);
        }
    }
}
