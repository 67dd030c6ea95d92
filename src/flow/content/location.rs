//! A place on the map.

use std::fmt;

use serde::Serialize;
#[cfg(feature = "schema")]
use serde_json::json;
use serde_json::{Number, Value};

use crate::flow::content::{ChannelCapacity, Local, TextDef};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Fields, Read, wrong_type};
#[cfg(feature = "schema")]
use crate::flow::form::schema::SchemaDefinitions;
use crate::flow::lang::context::Compile;
use crate::flow::lang::number::{self, Decimal, Marks};
use crate::flow::lang::template::Template;

/// A place:
/// `{"latitude": 52.52, "longitude": 13.405, "name": "Our shop", "address": "Torstr. 1, Berlin"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LocationDef {
    /// Degrees north, from -90 to 90.
    pub latitude: CoordinateDef,
    /// Degrees east, from -180 to 180.
    pub longitude: CoordinateDef,
    /// Its name, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<TextDef>,
    /// Its postal address, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<TextDef>,
}

/// Degrees of a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum CoordinateDef {
    /// As a number.
    Number(Number),
    /// As a template that gives a number.
    Template(String),
}

/// A compiled place.
#[derive(Clone, Debug)]
pub(crate) struct CompiledLocation {
    pub(crate) latitude: Degrees,
    pub(crate) longitude: Degrees,
    pub(crate) name: Option<Local<Template>>,
    pub(crate) address: Option<Local<Template>>,
}

/// Compiled degrees.
#[derive(Clone, Debug)]
pub(crate) enum Degrees {
    Fixed(f64),
    Template(Template),
}

impl Degrees {
    /// Reads degrees, with either mark before their decimals: no place is a thousand degrees away.
    pub(crate) fn read(text: &str) -> Option<f64> {
        let text = text.trim();
        let number = || number::read(text, Marks::Fixed(Decimal::Comma)).map(number::to_float);
        text.parse().ok().or_else(number)
    }
}

impl LocationDef {
    /// A place without a name.
    pub fn new(latitude: CoordinateDef, longitude: CoordinateDef) -> Self {
        Self { latitude, longitude, name: None, address: None }
    }

    pub(super) fn compile(
        &self,
        at: &Path<'_>,
        fit: &ChannelCapacity,
        cx: &mut Compile<'_>,
    ) -> Option<CompiledLocation> {
        if !fit.capacity.location {
            fit.lacks(at, cx);
        }
        self.compile_place(at, cx)
    }

    /// The same, where no message is one.
    pub(super) fn compile_place(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<CompiledLocation> {
        let latitude = self.latitude.compile(&at.key("latitude"), 90, cx);
        let longitude = self.longitude.compile(&at.key("longitude"), 180, cx);
        let mut text =
            |key: &str, text: &Option<TextDef>| text.as_ref().map(|text| text.template(&at.key(key), cx));
        let (name, address) = (text("name", &self.name), text("address", &self.address));
        Some(CompiledLocation {
            latitude: latitude?,
            longitude: longitude?,
            name: name.flatten(),
            address: address.flatten(),
        })
    }
}

impl CoordinateDef {
    fn compile(&self, at: &Path<'_>, most: u8, cx: &mut Compile<'_>) -> Option<Degrees> {
        match self {
            Self::Template(source) => {
                let template = cx.required_template(at, source)?;
                if let Some(text) = template.as_literal() {
                    check_degrees(Degrees::read(text), format_args!("{:?}", brief(text)), (at, most), cx);
                }
                Some(Degrees::Template(template))
            }
            Self::Number(number) => {
                check_degrees(number.as_f64(), format_args!("{number}"), (at, most), cx).map(Degrees::Fixed)
            }
        }
    }
}

/// Degrees that are written out; none with an issue.
fn check_degrees(
    degrees: Option<f64>,
    said: fmt::Arguments<'_>,
    (at, most): (&Path<'_>, u8),
    cx: &mut Compile<'_>,
) -> Option<f64> {
    let degrees = degrees.filter(|degrees| degrees.abs() <= f64::from(most));
    if degrees.is_none() {
        let message = format!("must be from -{most} to {most}, not {said}");
        cx.found.add(IssueCode::BadValue, at, message, "give degrees as a decimal number");
    }
    degrees
}

impl Read for CoordinateDef {
    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        match value {
            Value::Number(number) => Some(Self::Number(number.clone())),
            Value::String(source) => Some(Self::Template(source.clone())),
            other => wrong_type("a number or a template", other, at, found),
        }
    }

    #[cfg(feature = "schema")]
    fn schema(book: &mut SchemaDefinitions) -> Value {
        book.refer::<Self>(|_| json!({"type": ["number", "string"]}))
    }
}

impl Read for LocationDef {
    const EXAMPLE: &'static str = r#"{"latitude": 52.5, "longitude": 13.4}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (latitude, longitude) = (fields.required("latitude"), fields.required("longitude"));
        let (name, address) = (fields.optional("name"), fields.optional("address"));
        fields.close();
        let or_zero = |degrees: Option<CoordinateDef>| degrees.unwrap_or(CoordinateDef::Number(0.into()));
        Some(Self { latitude: or_zero(latitude), longitude: or_zero(longitude), name, address })
    }
}
