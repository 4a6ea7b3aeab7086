//! What every page needs: language, who is looking, the form token, notices; and the formatting helpers templates call.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::html::{self, Html};
use crate::{
    domain::{
        capture::{CaptureState, Reason},
        draft::DraftState,
        field::FieldKey,
        ids::VisitId,
        money::Currency,
        person::{Language, Role},
        time::{CivilDate, Timestamp},
        visit::VisitPurpose,
    },
    web::{
        assets,
        i18n::{self, format},
    },
};

/// The frame around a page.
#[derive(Debug, Clone)]
pub struct Shell {
    /// Language of the page: the person's setting, else [`i18n::negotiate`].
    pub lang: Language,
    /// The token forms send as `csrf` and scripts as `x-csrf-token`.
    pub csrf: String,
    /// Who is signed in, if anyone.
    pub viewer: Option<Viewer>,
    /// Path and query of this page; the language switch comes back here, and the navigation marks where we are.
    pub path: String,
    /// The instant the page is made, for ages.
    pub now: Timestamp,
    /// IANA time zone of the organisation.
    pub zone: String,
    /// One-off messages above the content.
    pub notices: Vec<Notice>,
}

/// Who is looking.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Display name.
    pub name: String,
    /// Decides what the navigation offers; handlers check again.
    pub roles: BTreeSet<Role>,
}

/// A message above the content.
#[derive(Debug, Clone)]
pub struct Notice {
    /// How it looks.
    pub tone: Tone,
    /// Text in the page's language.
    pub text: String,
}

/// How a message looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something worked.
    Good,
    /// Something to know.
    Info,
    /// Something failed.
    Bad,
}

impl Tone {
    /// The word for style and screen readers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Info => "info",
            Self::Bad => "bad",
        }
    }
}

/// An error to show: its stable code and the English sentence that came with it.
#[derive(Debug, Clone, Default)]
pub struct Problem {
    /// Looked up as `error.{code}`, then `reason.{code}`.
    pub code: String,
    /// Shown when the code has no translation.
    pub detail: String,
}

/// Which visit something is for, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisitView {
    /// Nobody has said yet.
    Undecided,
    /// Explicitly none.
    NoVisit,
    /// This one.
    Visit(VisitOption),
}

/// A visit people can pick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitOption {
    /// The visit.
    pub id: VisitId,
    /// Name of the customer.
    pub customer: String,
    /// The day, when known.
    pub on: Option<CivilDate>,
    /// Why, when known.
    pub purpose: Option<VisitPurpose>,
}

/// A value and its label in a select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What people see.
    pub label: String,
}

impl VisitView {
    /// The value of a visit select: empty, `none` or the id.
    pub fn value(&self) -> &str {
        match self {
            Self::Undecided => "",
            Self::NoVisit => "none",
            Self::Visit(visit) => visit.id.as_str(),
        }
    }
}

/// Most text templates ask for goes through these; a missing key shows as [`i18n::MISSING`] and fails the tests.
/// Templates pass every argument by reference, so even small ones come that way.
impl Shell {
    /// The text of `key`.
    pub fn t(&self, key: &str) -> String {
        i18n::text(self.lang, key)
    }

    /// The text of `key` with `{0}` filled in.
    pub fn t1(&self, key: &str, value: impl ToString) -> String {
        self.t(key).replace("{0}", &value.to_string())
    }

    /// The text of `key` with `{0}` and `{1}` filled in.
    pub fn t2(&self, key: &str, first: impl ToString, second: impl ToString) -> String {
        self.t(key).replace("{0}", &first.to_string()).replace("{1}", &second.to_string())
    }

    /// `table.code` if translated, else the code itself: for codes that other rooms may add to.
    pub fn word(&self, table: &str, code: &str) -> String {
        i18n::find(self.lang, &format!("{table}.{code}")).unwrap_or(code).to_owned()
    }

    /// BCP 47 tag.
    pub fn tag(&self) -> &'static str {
        i18n::tag(self.lang)
    }

    /// Whether the page is in the language with this code (`en`, `zh`).
    pub fn speaks(&self, code: &str) -> bool {
        self.lang.as_str() == code
    }

    /// Words for scripts, JSON.
    pub fn script_words(&self) -> &'static str {
        i18n::for_scripts(self.lang)
    }

    /// Address of an asset.
    pub fn asset(&self, name: &str) -> String {
        assets::url(name)
    }

    /// An icon by name.
    pub fn icon(&self, name: &str) -> Html {
        html::icon(name)
    }

    /// Whether the viewer has the role with this word.
    pub fn is(&self, role: &str) -> bool {
        self.viewer.as_ref().is_some_and(|v| v.roles.iter().any(|r| r.as_str() == role))
    }

    /// `page` for `aria-current` when this page is under `prefix`, else `false`.
    pub fn current(&self, prefix: &str) -> &'static str {
        if self.path.starts_with(prefix) { "page" } else { "false" }
    }

    /// A badge with the state of a receipt.
    pub fn state(&self, state: &DraftState) -> Html {
        self.badge(state.as_str())
    }

    /// A badge with the state of a capture.
    pub fn capture_state(&self, state: &CaptureState) -> Html {
        self.badge(state.as_str())
    }

    fn badge(&self, code: &str) -> Html {
        Html(format!(
            r#"<span class="badge {code}" data-state="{code}">{}</span>"#,
            html::escape(&self.t(&format!("state.{code}")))
        ))
    }

    /// Why a capture failed, in plain words.
    pub fn reason(&self, reason: &Reason) -> String {
        self.t(&format!("reason.{reason}"))
    }

    /// The label of a field.
    pub fn field(&self, key: &FieldKey) -> String {
        self.t(&format!("field.{key}"))
    }

    /// The name of a role.
    pub fn role(&self, role: &Role) -> String {
        self.t(&format!("role.{role}"))
    }

    /// A problem in the page's language, its English detail where the words leave a place for it or there are none.
    pub fn problem(&self, problem: &Problem) -> String {
        ["error", "reason"]
            .iter()
            .find_map(|table| i18n::find(self.lang, &format!("{table}.{}", problem.code)))
            .map_or_else(|| problem.detail.clone(), |text| text.replace("{0}", &problem.detail))
    }

    /// What the reader noticed, as a sentence; codes without one are shown as they are.
    pub fn warning(&self, code: &str) -> String {
        i18n::find(self.lang, &format!("warning.{code}"))
            .map_or_else(|| self.t1("draft.reader_noticed", code), str::to_owned)
    }

    /// Reason codes of extraction in words, each said once: `next to “Gesamt” · the parts add up`.
    pub fn whys(&self, codes: &[String]) -> String {
        let mut said: Vec<String> = Vec::new();
        for why in codes.iter().map(|code| self.why(code)) {
            if !said.contains(&why) {
                said.push(why);
            }
        }
        said.join(" · ")
    }

    /// A reason code such as `label:合计` in words; unknown codes are shown as they are.
    fn why(&self, code: &str) -> String {
        let (kind, detail) = code.split_once(':').unwrap_or((code, ""));
        let Some(text) = i18n::find(self.lang, &format!("why.{kind}")) else { return code.to_owned() };
        if detail.is_empty() {
            // Without a detail its quoted place goes too.
            return text.replace(" “{0}”", "").replace("“{0}”", "");
        }
        // `conflict:print=12.00`: who, and what they say.
        let (who, says) =
            if kind == "conflict" { detail.split_once('=').unwrap_or((detail, "")) } else { (detail, "") };
        let Some(word) = self.why_word(kind, who) else {
            // OpenStreetMap's kinds are many, and their codes are English words.
            let detail = if kind == "brand_kind" { detail.replace('_', " ") } else { detail.to_owned() };
            return text.replace("{0}", &detail);
        };
        let word = format!("{word} {says}");
        // What is not printed like this stands without quotation marks.
        text.replace("“{0}”", word.trim_end()).replace("{0}", word.trim_end())
    }

    /// The name of who or what a reason speaks of, when it has one in this language.
    fn why_word(&self, kind: &str, who: &str) -> Option<&'static str> {
        let (table, code) = match (kind, who.strip_prefix("code:")) {
            ("sign", _) => ("why_sign", who),
            ("code", _) => ("why_code", who),
            ("brand_kind", _) => ("why_shop", who),
            (_, Some(format)) => ("why_code", format),
            ("source" | "agree" | "conflict" | "label", None) => ("why_source", who),
            _ => return None,
        };
        i18n::find(self.lang, &format!("{table}.{code}"))
    }

    /// `Customer · 2026-11-23 · purpose`.
    pub fn visit(&self, visit: &VisitOption) -> String {
        let mut text = visit.customer.clone();
        if let Some(on) = visit.on {
            text = format!("{text} · {on}");
        }
        if let Some(purpose) = visit.purpose {
            text = format!("{text} · {}", self.t(&format!("purpose.{purpose}")));
        }
        text
    }

    /// A visit, or that there is none.
    pub fn visit_view(&self, visit: &VisitView) -> String {
        match visit {
            VisitView::Undecided => self.t("visit.undecided"),
            VisitView::NoVisit => self.t("visit.none"),
            VisitView::Visit(visit) => self.visit(visit),
        }
    }

    /// The customer's name alone, or that there is no visit: for lists.
    pub fn visit_short(&self, visit: &VisitView) -> String {
        match visit {
            VisitView::Visit(visit) => visit.customer.clone(),
            VisitView::Undecided | VisitView::NoVisit => self.visit_view(visit),
        }
    }

    /// An instant on the organisation's clock.
    pub fn at(&self, at: &Timestamp) -> String {
        format::instant(*at, &self.zone)
    }

    /// How long ago.
    pub fn ago(&self, at: &Timestamp) -> String {
        format::age(self.lang, *at, self.now)
    }

    /// A date in words.
    pub fn date_words(&self, date: &CivilDate) -> String {
        format::date_words(self.lang, *date)
    }

    /// `CNY 1,234.50`; an en dash when there is no amount.
    pub fn money(&self, total: &Option<Decimal>, currency: &Option<Currency>) -> String {
        match (total, currency) {
            (Some(total), Some(currency)) => format!("{currency} {}", format::amount(*total, Some(*currency))),
            (Some(total), None) => format::amount(*total, None),
            (None, _) => "–".to_owned(),
        }
    }

    /// `Probability: 87 %`.
    pub fn meter_words(&self, p: &f32) -> String {
        format!("{}: {}", self.t("draft.probability"), format::percent(*p))
    }

    /// A bar and a number for a probability.
    pub fn meter(&self, p: &f32) -> Html {
        html::meter(*p, &self.t("draft.probability"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::pages::samples;

    #[test]
    fn codes_are_put_into_words_and_unknown_codes_stay_visible() {
        let shell = samples::shell(Language::En, "/");
        assert_eq!(shell.why("label:Gesamt"), "next to “Gesamt”");
        assert_eq!(shell.why("zodiac:12"), "zodiac:12");
        assert_eq!(shell.why("label:seller"), "next to the seller's label");
        assert_eq!(shell.why("sign:RM"), "the paper shows “RM”");
        assert_eq!(shell.why("sign:simplified"), "the paper shows simplified Chinese");
        assert_eq!(shell.why("brand_kind:department_store"), "kind of shop: department store");
        assert_eq!(shell.why("brand_kind:camel_market"), "kind of shop: “camel market”");
        let chinese = samples::shell(Language::Zh, "/");
        assert_eq!(chinese.why("brand_kind:department_store"), "商家类型：百货商店");
        assert_eq!(shell.why("agree:code:fapiao"), "the fapiao's code says the same");
        assert_eq!(shell.why("conflict:print=12.00"), "disagrees: what is printed 12.00");
        let codes = ["sum:rate", "sum:items", "sum:rate"].map(str::to_owned);
        assert_eq!(shell.whys(&codes), "the parts add up", "nothing is said twice");
        let problem = |code: &str| shell.problem(&Problem { code: code.into(), detail: "the detail".into() });
        assert_eq!(problem("never_heard_of"), "the detail");
        assert_ne!(problem("undecodable"), "the detail");
    }

    #[test]
    fn every_word_of_the_domain_is_translated() {
        for lang in Language::ALL {
            let shell = samples::shell(*lang, "/");
            let mut texts = Vec::new();
            texts.extend(DraftState::ALL.iter().map(|s| shell.state(s).to_string()));
            texts.extend(CaptureState::ALL.iter().map(|s| shell.capture_state(s).to_string()));
            texts.extend(Reason::ALL.iter().map(|r| shell.reason(r)));
            texts.extend(FieldKey::ALL.iter().map(|k| shell.field(k)));
            texts.extend(Role::ALL.iter().map(|r| shell.role(r)));
            texts.extend(VisitPurpose::ALL.iter().map(|p| shell.t(&format!("purpose.{p}"))));
            for kind in crate::domain::receipt::EvidenceKind::ALL {
                texts.push(shell.t(&format!("evidence.{kind}")));
            }
            for way in crate::domain::receipt::PaymentMethod::ALL {
                texts.push(shell.t(&format!("payment.{way}")));
            }
            for kind in crate::domain::visit::CustomerType::ALL {
                texts.push(shell.t(&format!("customer.{kind}")));
            }
            for channel in crate::domain::capture::Channel::ALL {
                texts.push(shell.t(&format!("channel.{channel}")));
            }
            for text in texts {
                assert!(!text.contains(i18n::MISSING), "{text}");
            }
        }
    }
}
