//! One field of the draft page: what was read, what a person decided, and what the page makes of both.

use super::{html, shell::Problem};
use crate::domain::{
    field::{Alternative, Evidence, Field, FieldKey},
    page::Quad,
    policy,
    time::{CivilDate, Timestamp},
};

/// A field with what was proposed and what was decided.
#[derive(Debug, Clone)]
pub struct FieldView {
    /// Which.
    pub key: FieldKey,
    /// What the reading proposes.
    pub proposed: Option<Field>,
    /// What a person decided.
    pub decided: Option<DecidedView>,
    /// What was typed, when it was refused.
    pub refused: Option<(String, Problem)>,
    /// The first step that needs it; `None` for one that may stay empty.
    pub needed_for: Option<Step>,
}

/// A step a draft takes with every field it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To the reviewers' queue.
    Submit,
    /// To an expense.
    Confirm,
}

impl Step {
    /// The first step that needs the field.
    pub fn needing(key: FieldKey) -> Option<Self> {
        if policy::REQUIRED_TO_SUBMIT.contains(&key) {
            Some(Self::Submit)
        } else {
            policy::REQUIRED_TO_CONFIRM.contains(&key).then_some(Self::Confirm)
        }
    }

    /// The word for scripts and styles: `submit` or `confirm`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Confirm => "confirm",
        }
    }
}

/// A person's decision about a field.
#[derive(Debug, Clone)]
pub struct DecidedView {
    /// The value; `None` when they cleared the field.
    pub value: Option<String>,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl FieldView {
    /// A field nobody proposed or decided anything for.
    pub fn empty(key: FieldKey) -> Self {
        Self { key, proposed: None, decided: None, refused: None, needed_for: None }
    }

    /// What the input holds.
    pub fn value(&self) -> String {
        match (&self.refused, &self.decided, &self.proposed) {
            (Some((typed, _)), _, _) => typed.clone(),
            (None, Some(decided), _) => decided.value.clone().unwrap_or_default(),
            (None, None, Some(proposed)) => proposed.value.to_string(),
            (None, None, None) => String::new(),
        }
    }

    /// What was proposed, when a person decided otherwise.
    pub fn was(&self) -> Option<String> {
        let proposed = self.proposed.as_ref()?.value.to_string();
        let decided = self.decided.as_ref()?;
        (decided.value.as_deref() != Some(proposed.as_str())).then_some(proposed)
    }

    /// The probability, while the proposal stands.
    pub fn p(&self) -> Option<f32> {
        if self.decided.is_some() { None } else { self.proposed.as_ref().map(|f| f.p) }
    }

    /// `high`, `mid`, `low`, `decided` or `empty`: the colour at the field's edge, and where "next field" stops.
    pub fn level(&self) -> &'static str {
        match (&self.decided, &self.proposed) {
            (Some(_), _) => "decided",
            (None, Some(field)) => html::level(field.p),
            (None, None) => "empty",
        }
    }

    /// Whether it stands above category and visit: what every expense needs.
    pub fn is_leading(&self) -> bool {
        matches!(self.key, FieldKey::Merchant | FieldKey::Date | FieldKey::Time | FieldKey::Total | FieldKey::Currency)
    }

    /// Whether it takes an amount.
    pub fn is_amount(&self) -> bool {
        matches!(self.key, FieldKey::Total | FieldKey::Tax | FieldKey::Net | FieldKey::Tip)
    }

    /// Whether it takes a date.
    pub fn is_date(&self) -> bool {
        matches!(self.key, FieldKey::Date | FieldKey::OccurredOn)
    }

    /// What kind of value scripts should tidy: `amount`, `date`, `time`, `currency`, `choice` (nothing to tidy) or `text`.
    pub fn kind(&self) -> &'static str {
        match self.key {
            _ if self.is_amount() => "amount",
            _ if self.is_date() => "date",
            FieldKey::Time => "time",
            FieldKey::Currency => "currency",
            FieldKey::Category | FieldKey::EvidenceKind | FieldKey::Payment => "choice",
            _ => "text",
        }
    }

    /// The value's date, to show its weekday.
    pub fn date(&self) -> Option<CivilDate> {
        if self.is_date() { self.value().parse().ok() } else { None }
    }

    /// Other values to pick with one click, most probable first, without repeats. What was proposed first is
    /// [`FieldView::was`] and not among them.
    pub fn choices(&self) -> Vec<&Alternative> {
        let mut choices: Vec<&Alternative> = Vec::new();
        let (current, was) = (self.value(), self.was());
        for alternative in self.proposed.iter().flat_map(|f| &f.alternatives) {
            let is_shown = alternative.value == current || was.as_ref() == Some(&alternative.value);
            if !is_shown && choices.iter().all(|other| other.value != alternative.value) {
                choices.push(alternative);
            }
        }
        choices
    }

    /// `page x,y x,y x,y x,y` of evidence, for scripts that move the box when a value is picked; empty without a box.
    pub fn place(&self, evidence: &Option<Evidence>) -> String {
        let quad = evidence.as_ref().and_then(|e| Some((e.page, e.quad.filter(Quad::is_finite)?)));
        quad.map(|(page, quad)| format!("{page} {}", html::points(&quad))).unwrap_or_default()
    }

    /// [`FieldView::place`] of what was proposed.
    pub fn proposed_place(&self) -> String {
        self.proposed.as_ref().map(|f| self.place(&f.evidence)).unwrap_or_default()
    }

    /// Where the current value was seen: the proposal's evidence or that of the alternative a person picked.
    pub fn seen(&self) -> Option<&Evidence> {
        let proposed = self.proposed.as_ref()?;
        match &self.decided {
            Some(decided) if self.was().is_some() => proposed
                .alternatives
                .iter()
                .find(|a| Some(a.value.as_str()) == decided.value.as_deref())
                .and_then(|a| a.evidence.as_ref()),
            _ => proposed.evidence.as_ref(),
        }
    }

    /// [`FieldView::place`] of the current value.
    pub fn current_place(&self) -> String {
        self.place(&self.seen().cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::field::FieldValue;

    fn seen(left: f32) -> Evidence {
        Evidence { page: 0, quad: Some(Quad::from_edges(left, 0.0, left + 10.0, 5.0)), text: String::new() }
    }

    fn total() -> FieldView {
        let value = FieldValue::parse(FieldKey::Total, "12.30").unwrap();
        let alternatives = vec![
            Alternative { value: "13.20".into(), p: 0.1, evidence: Some(seen(50.0)) },
            Alternative { value: "12.30".into(), p: 0.05, evidence: None },
        ];
        FieldView {
            proposed: Some(Field {
                key: FieldKey::Total,
                value,
                p: 0.8,
                evidence: Some(seen(1.0)),
                source: "x".into(),
                reasons: vec![],
                alternatives,
            }),
            ..FieldView::empty(FieldKey::Total)
        }
    }

    #[test]
    fn a_corrected_value_keeps_what_was_proposed() {
        let mut field = total();
        assert_eq!(field.choices().iter().map(|c| c.value.as_str()).collect::<Vec<_>>(), ["13.20"]);
        assert_eq!((field.was(), field.level()), (None, "mid"));
        field.decided =
            Some(DecidedView { value: Some("13.20".into()), by: "Li".into(), at: Timestamp::from_micros(0) });
        assert_eq!(field.was().as_deref(), Some("12.30"));
        assert_eq!((field.value().as_str(), field.level(), field.p()), ("13.20", "decided", None));
        assert!(field.choices().is_empty(), "the proposal is offered as what it was, not twice");
    }

    #[test]
    fn the_box_follows_the_alternative_that_was_picked() {
        let mut field = total();
        let left = |field: &FieldView| field.seen().and_then(|e| e.quad).map(|q| q.left());
        assert_eq!(left(&field), Some(1.0));
        let decide = |value: &str| {
            Some(DecidedView { value: Some(value.into()), by: "Li".into(), at: Timestamp::from_micros(0) })
        };
        field.decided = decide("13.20");
        assert_eq!(left(&field), Some(50.0));
        field.decided = decide("99.00");
        assert_eq!(left(&field), None, "a value typed by hand was not seen anywhere");
    }

    #[test]
    fn what_was_typed_and_refused_stays_in_the_input() {
        let mut field = total();
        field.refused = Some(("twelve".into(), Problem::default()));
        assert_eq!(field.value(), "twelve");
    }
}
