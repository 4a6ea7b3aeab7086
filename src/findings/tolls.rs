//! Which bills a toll list belongs to: those whose numbers it names, else those that make its sum. Pure.

use super::against::days_between;
use crate::{
    domain::{finding::InvoiceFacts, money::Currency, receipt::EvidenceKind as E, time::CivilDate},
    store::findings::Peer,
};

/// What a toll list adds up. The treasury's bills for roads still paid off bear a name of their own.
pub const BILLS: [E; 4] = [E::SpecialFapiao, E::OrdinaryFapiao, E::Invoice, E::Other];
/// Toll lists of one person that one bill is compared with.
pub const MAX_LISTS: usize = 10;
/// Bills a list is proposed to.
pub const MAX_BILLS: usize = 20;
/// Bills whose sums are tried, those of the nearest days: 65,536 sums at most.
const MAX_ADDED: usize = 16;
/// Digits of a number that is unique without a code.
const UNIQUE_DIGITS: usize = 20;

/// A toll list beside the bills of its owner.
#[derive(Debug, Clone, Copy)]
pub struct TollList<'a> {
    /// What it adds up to.
    pub total_minor: Option<i64>,
    /// Its currency.
    pub currency: Option<Currency>,
    /// Its date.
    pub issued_on: Option<CivilDate>,
    /// Which numbers it names.
    pub facts: &'a InvoiceFacts,
}

impl<'a> TollList<'a> {
    /// A receipt of the database as a toll list; `None` when it is none.
    pub fn of(peer: &'a Peer) -> Option<Self> {
        let facts = &peer.facts.as_ref()?.0;
        let is_list = peer.evidence_kind == Some(E::TripSheet) && facts.of_tolls;
        let Peer { total_minor, currency, issued_on, .. } = *peer;
        is_list.then_some(Self { total_minor, currency, issued_on, facts })
    }

    /// The bills it belongs to; none when several choices make its sum.
    pub fn bills<'b>(&self, bills: &'b [Peer]) -> Vec<&'b Peer> {
        let mut named: Vec<&Peer> = bills.iter().filter(|bill| self.names(bill)).collect();
        if named.is_empty() {
            named = self.addends(bills).unwrap_or_default();
        }
        named.truncate(MAX_BILLS);
        named
    }

    /// Whether it names the bill's number, and its code where the number alone is not unique.
    fn names(&self, bill: &Peer) -> bool {
        let says = |text: &str| self.facts.listed_numbers.iter().any(|known| known == text);
        let Some(number) = bill.number_key.as_deref().filter(|number| says(number)) else { return false };
        let code = bill.facts.as_ref().and_then(|facts| facts.0.invoice_code.as_deref());
        number.len() == UNIQUE_DIGITS || code.is_some_and(says)
    }

    /// The only two bills or more that make its sum.
    fn addends<'b>(&self, bills: &'b [Peer]) -> Option<Vec<&'b Peer>> {
        let sum = self.total_minor.filter(|sum| *sum > 0)?;
        let is_bill = |bill: &&Peer| bill.evidence_kind != Some(E::Other) && bill.currency == self.currency;
        // A bill of the whole sum is proposed as any invoice of a trip sheet is.
        if bills.iter().filter(is_bill).any(|bill| bill.total_minor == Some(sum)) {
            return None;
        }
        let mut parts: Vec<(&Peer, i64)> = bills
            .iter()
            .filter(is_bill)
            .filter_map(|bill| Some((bill, bill.total_minor.filter(|total| (1..sum).contains(total))?)))
            .collect();
        parts.sort_by_key(|(bill, _)| days_between(self.issued_on, bill.issued_on).unwrap_or(i64::MAX));
        parts.truncate(MAX_ADDED);
        let makes_sum = |choice: &u32| {
            let chosen = parts.iter().enumerate().filter(|(at, _)| choice & (1 << at) != 0);
            chosen.map(|(_, (_, total))| total).sum::<i64>() == sum
        };
        let mut choices = (1..1_u32 << parts.len()).filter(makes_sum);
        let (only, None) = (choices.next()?, choices.next()) else { return None };
        Some(parts.iter().enumerate().filter(|(at, _)| only & (1 << at) != 0).map(|(_, (bill, _))| *bill).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::draft::DraftState, store::Json};

    /// A bill over some cents with a number, issued on a day of March.
    fn bill(total_minor: i64, number: &str, day: i8) -> Peer {
        Peer {
            receipt_id: format!("00000000-0000-7000-8000-{total_minor:06}{day:06}").parse().unwrap(),
            owner_id: "00000000-0000-7000-8000-000000000001".parse().unwrap(),
            state: DraftState::Submitted,
            number_key: Some(number.to_owned()),
            seller_key: None,
            facts: Some(Json(InvoiceFacts {
                invoice_code: Some("031001900112".to_owned()),
                ..InvoiceFacts::default()
            })),
            evidence_kind: Some(E::OrdinaryFapiao),
            merchant_key: None,
            issued_on: Some(CivilDate::constant(2026, 3, day)),
            total_minor: Some(total_minor),
            currency: "CNY".parse().ok(),
        }
    }

    /// Totals of the bills that a list of 38.00, which names some numbers, belongs to.
    fn belongs(listed: &[&str], bills: &[Peer]) -> Vec<i64> {
        let listed_numbers = listed.iter().map(|number| (*number).to_owned()).collect();
        let facts = InvoiceFacts { of_tolls: true, listed_numbers, ..InvoiceFacts::default() };
        let (currency, issued_on) = ("CNY".parse().ok(), Some(CivilDate::constant(2026, 3, 5)));
        let list = TollList { total_minor: Some(3800), currency, issued_on, facts: &facts };
        list.bills(bills).iter().filter_map(|bill| bill.total_minor).collect()
    }

    #[test]
    fn a_list_belongs_to_the_bills_it_names_whatever_else_makes_its_sum() {
        let bills = [bill(1800, "00000017", 1), bill(2500, "00000018", 5), bill(2000, "00000083", 5)];
        assert_eq!(belongs(&["031001900112", "00000017", "00000018"], &bills), [1800, 2500]);
        // Eight digits are some other invoice's as well: without the code they say nothing.
        assert_eq!(belongs(&["00000017", "00000018"], &bills), [2000, 1800]);
        let digital = [bill(1800, "26440000000000000017", 1)];
        assert_eq!(belongs(&["26440000000000000017"], &digital), [1800]);
    }

    #[test]
    fn a_list_that_names_none_belongs_to_the_only_bills_that_make_its_sum() {
        let bills = [bill(1800, "1", 1), bill(2000, "2", 2), bill(700, "3", 3)];
        assert_eq!(belongs(&[], &bills), [2000, 1800]);
        assert_eq!(belongs(&[], &bills[..1]), Vec::<i64>::new(), "one is missing");
        let twice = [&bills[..], &[bill(2000, "4", 4)]].concat();
        assert_eq!(belongs(&[], &twice), Vec::<i64>::new(), "either of two would do");
        let whole = [&bills[..], &[bill(3800, "4", 4)]].concat();
        assert_eq!(belongs(&[], &whole), Vec::<i64>::new(), "one bill is the whole sum");
        let mut foreign = bills.clone();
        foreign[0].currency = "EUR".parse().ok();
        assert_eq!(belongs(&[], &foreign), Vec::<i64>::new(), "euros and yuan make no sum");
        // A year of bills costs no more than the nearest ones.
        let many: Vec<Peer> =
            (1..=28).flat_map(|day| [bill(100 + i64::from(day), "5", day), bill(3, "6", day)]).collect();
        assert!(belongs(&[], &many).is_empty());
    }
}
