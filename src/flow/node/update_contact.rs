//! `update_contact`: changes what is known of the contact (SEMANTICS T3, T10).

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::Path;
use crate::flow::form::read::{Fields, Read, words};
use crate::flow::lang::context::Compile;
use crate::flow::lang::json_template::JsonTemplate;
use crate::flow::lang::template::Template;
use crate::flow::lang::zone::Zone;
use crate::flow::node::{NamedList, NodeContract, Port, PortName};

/// Changes of the contact. Branches: `next`, and `invalid` where a time zone is none, or what is
/// set is beyond the limits of a profile: then nothing is changed. Without an edge for it the
/// session fails.
///
/// A text that renders to nothing changes nothing; `null` removes. The nodes that follow read the
/// contact as it has become, and a turn that fails changes nothing.
///
/// `"consent": "opt_out"` ends all sessions of the contact when the turn ends, this one too; what
/// this turn sends, before or after the node, still leaves. Transactional sessions continue.
/// `"opt_in"` takes an opt-out back.
///
/// ```
/// chatflow::flow::NodeDef::from_json(r#"{
///     "id": "note", "kind": "update_contact",
///     "set": {
///         "name": "{{ vars.name | trim }}", "email": null, "language": "en",
///         "timezone": "Asia/Kolkata", "fields": {"city": "{{ vars.city }}", "draft": null}
///     },
///     "add_tags": ["buyer", "{{ context.season }}"], "remove_tags": ["lead"],
///     "add_groups": ["newsletter"], "remove_groups": [], "consent": "opt_in"
/// }"#)?;
/// # Ok::<(), chatflow::flow::Issues>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UpdateContactDef {
    /// The fields that are set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<SetContactDef>,
    /// Labels that are added; each is a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_tags: Option<Vec<String>>,
    /// Labels that are removed; each is a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove_tags: Option<Vec<String>>,
    /// Groups that are joined; each is a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_groups: Option<Vec<String>>,
    /// Groups that are left; each is a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove_groups: Option<Vec<String>>,
    /// The contact's consent to be written to from now on; as before if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
}

/// The fields of a contact that are set: `{"name": "{{ vars.name }}", "email": null}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SetContactDef {
    /// The full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<TextEditDef>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<TextEditDef>,
    /// The language tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<TextEditDef>,
    /// The time zone by its name in the IANA database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<TextEditDef>,
    /// Other fields: JSON in which each text is a template, and a placeholder alone gives its value
    /// ([SEMANTICS N13](crate::semantics#n13)); `null` removes the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Map<String, Value>>,
}

/// The edit of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextEditDef {
    /// It is replaced by what this template renders to.
    Text(String),
    /// It is removed; written as `null`.
    Remove,
}

words! {
    /// A contact's consent to be written to.
    Consent {
        /// It may.
        OptIn = "opt_in",
        /// It must not.
        OptOut = "opt_out",
    }
}

/// Compiled changes.
#[derive(Clone, Debug)]
pub(crate) struct UpdateContact {
    pub(crate) name: Option<Edit>,
    pub(crate) email: Option<Edit>,
    pub(crate) language: Option<Edit>,
    pub(crate) timezone: Option<Edit>,
    pub(crate) fields: NamedList<JsonTemplate>,
    pub(crate) add_tags: Box<[Template]>,
    pub(crate) remove_tags: Box<[Template]>,
    pub(crate) add_groups: Box<[Template]>,
    pub(crate) remove_groups: Box<[Template]>,
    pub(crate) consent: Option<Consent>,
}

/// A compiled edit: none removes.
pub(crate) type Edit = Option<Template>;

impl UpdateContact {
    pub(crate) const INVALID: Port = Port(1);
}

/// Tags, groups and fields that one node names, each.
const MOST_ENTRIES: usize = 100;

impl UpdateContactDef {
    /// A change of consent alone.
    #[must_use]
    pub fn consenting(consent: Consent) -> Self {
        Self { consent: Some(consent), ..Self::default() }
    }

    fn is_empty(&self) -> bool {
        let is_blank = |list: &Option<Vec<String>>| list.as_ref().is_none_or(Vec::is_empty);
        let lists = [&self.add_tags, &self.remove_tags, &self.add_groups, &self.remove_groups];
        self.consent.is_none()
            && lists.into_iter().all(is_blank)
            && self.set.as_ref().is_none_or(|set| *set == SetContactDef::default())
    }
}

impl NodeContract for UpdateContactDef {
    type Compiled = UpdateContact;

    fn read(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            set: fields.optional("set"),
            add_tags: fields.optional("add_tags"),
            remove_tags: fields.optional("remove_tags"),
            add_groups: fields.optional("add_groups"),
            remove_groups: fields.optional("remove_groups"),
            consent: fields.optional("consent"),
        }
    }

    fn ports(&self) -> Vec<PortName> {
        vec!["next".into(), "invalid".into()]
    }

    fn compile(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<UpdateContact> {
        if self.is_empty() {
            let fix = "add `set`, `add_tags`, `add_groups` or `consent`, or remove the node";
            cx.found.add(IssueCode::MissingField, &at.key("set"), "is missing: nothing is changed", fix);
            return None;
        }
        let none = SetContactDef::default();
        let set = self.set.as_ref().unwrap_or(&none);
        let place = at.key("set");
        let name = edit(&place.key("name"), set.name.as_ref(), cx);
        let email = edit(&place.key("email"), set.email.as_ref(), cx);
        let language = edit(&place.key("language"), set.language.as_ref(), cx);
        let timezone = edit(&place.key("timezone"), set.timezone.as_ref(), cx);
        if let Some(Some(Some(zone))) = &timezone
            && let Some(name) = zone.as_literal()
        {
            Zone::named(name.trim(), &place.key("timezone"), cx.found);
        }
        let fields = set.compile_fields(&place.key("fields"), cx);
        let add_tags = texts(&at.key("add_tags"), self.add_tags.as_deref(), cx);
        let remove_tags = texts(&at.key("remove_tags"), self.remove_tags.as_deref(), cx);
        let add_groups = texts(&at.key("add_groups"), self.add_groups.as_deref(), cx);
        let remove_groups = texts(&at.key("remove_groups"), self.remove_groups.as_deref(), cx);
        Some(UpdateContact {
            name: name?,
            email: email?,
            language: language?,
            timezone: timezone?,
            fields: fields?,
            add_tags: add_tags?,
            remove_tags: remove_tags?,
            add_groups: add_groups?,
            remove_groups: remove_groups?,
            consent: self.consent,
        })
    }

    fn wants_edge(&self, port: Port) -> bool {
        let zone = self.set.as_ref().and_then(|set| set.timezone.as_ref());
        let is_given = matches!(zone, Some(TextEditDef::Text(zone)) if zone.contains("{{"));
        port == UpdateContact::INVALID && is_given
    }
}

impl SetContactDef {
    fn compile_fields(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<NamedList<JsonTemplate>> {
        let fields = self.fields.iter().flatten();
        let count = self.fields.as_ref().map_or(0, Map::len);
        if count > MOST_ENTRIES {
            let message = format!("{count} fields, at most {MOST_ENTRIES} are allowed");
            cx.found.add(IssueCode::BadValue, at, message, "set the rest in another node");
            return None;
        }
        let fields = fields.map(|(name, value)| {
            let at = at.key(name);
            let name = cx.name(&at, name).map(|()| Arc::from(name.as_str()));
            let value = JsonTemplate::compile(value, &at, cx);
            Some((name?, value?))
        });
        let fields: Vec<Option<_>> = fields.collect();
        fields.into_iter().collect()
    }
}

/// The outer none: an issue.
fn edit(at: &Path<'_>, edit: Option<&TextEditDef>, cx: &mut Compile<'_>) -> Option<Option<Edit>> {
    match edit {
        None => Some(None),
        Some(TextEditDef::Remove) => Some(Some(None)),
        Some(TextEditDef::Text(source)) => cx.template(at, source).map(|template| Some(Some(template))),
    }
}

fn texts(at: &Path<'_>, list: Option<&[String]>, cx: &mut Compile<'_>) -> Option<Box<[Template]>> {
    let list = list.unwrap_or_default();
    if list.len() > MOST_ENTRIES {
        let message = format!("{} entries, at most {MOST_ENTRIES} are allowed", list.len());
        cx.found.add(IssueCode::BadValue, at, message, "name the rest in another node");
        return None;
    }
    let texts = list.iter().enumerate().map(|(index, text)| cx.required_template(&at.item(index), text));
    let texts: Vec<Option<_>> = texts.collect();
    texts.into_iter().collect()
}

impl Read for SetContactDef {
    const EXAMPLE: &'static str = r#"{"language": "de"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let set = Self {
            name: fields.optional("name"),
            email: fields.optional("email"),
            language: fields.optional("language"),
            timezone: fields.optional("timezone"),
            fields: fields.optional("fields"),
        };
        fields.close();
        Some(set)
    }
}

impl Read for TextEditDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Remove),
            value => String::read(value, at, found).map(Self::Text),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut crate::flow::form::schema::SchemaDefinitions) -> Value {
        serde_json::json!({"type": ["string", "null"]})
    }
}

impl Serialize for TextEditDef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Remove => serializer.serialize_unit(),
        }
    }
}
