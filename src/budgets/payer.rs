//! The client that pays for a request, with the accounts and the limits that apply to it.

use super::budget::{Account, BudgetId, Limit, Origin, Unit, Window};
use crate::bridge::protocol::{BudgetLimits, Budgets};
use crate::keys::KeyLimits;

/// The client that pays for a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payer {
    /// Product and version of the client, as its record names it.
    pub client: String,
    /// Name of its key.
    pub key: Option<String>,
    /// Session that the client names.
    pub session: Option<String>,
    /// Limits of its key.
    pub key_limits: KeyLimits,
    /// Limit in credits that its request carries, for the session, else for the client's day.
    pub max_credits: Option<f64>,
}

impl Payer {
    /// The accounts that the request counts to.
    pub fn accounts(&self) -> Vec<Account> {
        let key = self.key.clone().map(Account::Key);
        [Account::All, self.client_account(), self.session_account()].into_iter().chain(key).collect()
    }

    /// The limits that apply to the request.
    pub fn limits(&self, budgets: &Budgets) -> Vec<Limit> {
        let mut limits = of_setting(&Account::All, &budgets.all);
        for (name, of_client) in &budgets.per_client {
            let account = if self.key.as_ref() == Some(name) {
                Account::Key(name.clone())
            } else if name.eq_ignore_ascii_case(product(&self.client)) {
                self.client_account()
            } else {
                continue;
            };
            limits.extend(of_setting(&account, of_client));
        }
        if let Some(key) = &self.key {
            let KeyLimits { max_credits, credits_per_day, credits_per_month } = self.key_limits;
            let of_key = [
                (Window::Total, max_credits),
                (Window::Day, credits_per_day),
                (Window::Month, credits_per_month),
            ];
            limits.extend(of_key.into_iter().filter_map(|(window, credits)| {
                let account = Account::Key(key.clone());
                Some(limit(account, window, Unit::Credits, credits?, Origin::Key))
            }));
        }
        if let Some(credits) = self.max_credits {
            let (account, window) = match self.session {
                Some(_) => (self.session_account(), Window::Total),
                None => (self.client_account(), Window::Day),
            };
            limits.push(limit(account, window, Unit::Credits, credits, Origin::Header));
        }
        limits
    }

    fn client_account(&self) -> Account {
        Account::Client(product(&self.client).to_ascii_lowercase())
    }

    fn session_account(&self) -> Account {
        Account::Session(self.session.clone().unwrap_or_else(|| self.client.clone()))
    }
}

/// The product without its version.
fn product(client: &str) -> &str {
    client.split(['/', ' ']).next().unwrap_or_default()
}

fn of_setting(account: &Account, limits: &BudgetLimits) -> Vec<Limit> {
    let BudgetLimits { per_day, per_month, tokens_per_day, tokens_per_month } = *limits;
    [
        (Window::Day, Unit::Credits, per_day),
        (Window::Month, Unit::Credits, per_month),
        (Window::Day, Unit::Tokens, tokens_per_day),
        (Window::Month, Unit::Tokens, tokens_per_month),
    ]
    .into_iter()
    .filter_map(|(window, unit, amount)| Some(limit(account.clone(), window, unit, amount?, Origin::Setting)))
    .collect()
}

/// A limit in credits or tokens; a negative one is none at all, so that nothing may be used.
fn limit(account: Account, window: Window, unit: Unit, amount: f64, origin: Origin) -> Limit {
    let amount = match unit {
        Unit::Credits => amount * 1e9,
        Unit::Tokens => amount,
    };
    // A cast of a float saturates.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let amount = amount.round() as u64;
    Limit { id: BudgetId { account, window, unit }, amount, origin }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budgets() -> Budgets {
        let of = |per_day| BudgetLimits { per_day: Some(per_day), ..BudgetLimits::default() };
        Budgets {
            all: BudgetLimits { tokens_per_month: Some(9.0), ..of(3.0) },
            per_client: [("Codex_cli_rs".into(), of(2.0)), ("ci".into(), of(1.0))].into(),
        }
    }

    fn ids(payer: &Payer) -> Vec<(String, u64)> {
        payer.limits(&budgets()).into_iter().map(|limit| (limit.id.to_string(), limit.amount)).collect()
    }

    #[test]
    fn limits_of_client_key_session_and_header_apply() {
        let all = [("all/day/credits".to_owned(), 3_000_000_000), ("all/month/tokens".to_owned(), 9)];
        assert_eq!(ids(&Payer { client: "curl/8".into(), ..Payer::default() }), all);
        let codex = Payer { client: "codex_cli_rs/0.1".into(), max_credits: Some(0.5), ..Payer::default() };
        let of_codex = [
            ("client:codex_cli_rs/day/credits".to_owned(), 2_000_000_000),
            ("client:codex_cli_rs/day/credits".to_owned(), 500_000_000),
        ];
        assert_eq!(ids(&codex), [&all[..], &of_codex].concat());
        let key = Payer {
            client: "curl/8".into(),
            key: Some("ci".into()),
            session: Some("s".into()),
            key_limits: KeyLimits { max_credits: Some(7.0), ..KeyLimits::default() },
            max_credits: Some(-1.0),
        };
        let of_key = [
            ("key:ci/day/credits".to_owned(), 1_000_000_000),
            ("key:ci/total/credits".to_owned(), 7_000_000_000),
            ("session:s/total/credits".to_owned(), 0),
        ];
        assert_eq!(ids(&key), [&all[..], &of_key].concat());
    }
}
