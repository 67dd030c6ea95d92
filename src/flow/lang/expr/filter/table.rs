//! The closed list of filters: their names and what they take.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::flow::lang::expr) enum Filter {
    Abs,
    Add,
    AddDays,
    Capitalize,
    Currency,
    Date,
    DaysBetween,
    Default,
    First,
    Float,
    FormatNumber,
    FromEpoch,
    FromJson,
    Index,
    Int,
    Join,
    Json,
    Last,
    Length,
    Local,
    Lower,
    Map,
    Match,
    Max,
    Min,
    Number,
    Replace,
    Reverse,
    Round,
    Slice,
    Sort,
    Split,
    String,
    Sum,
    Title,
    Trim,
    Truncate,
    Unique,
    Upper,
    UrlEncode,
    Weekday,
    Where,
    Without,
}

/// A filter as it is written.
pub(in crate::flow::lang::expr) struct FilterRow {
    pub(in crate::flow::lang::expr) name: &'static str,
    pub(in crate::flow::lang::expr) filter: Filter,
    pub(in crate::flow::lang::expr) params: &'static [&'static str],
    pub(in crate::flow::lang::expr) required: usize,
}

const fn row(
    name: &'static str,
    filter: Filter,
    params: &'static [&'static str],
    required: usize,
) -> FilterRow {
    FilterRow { name, filter, params, required }
}

pub(in crate::flow::lang::expr) const ROWS: [FilterRow; 45] = [
    row("abs", Filter::Abs, &[], 0),
    row("add", Filter::Add, &["value", "unit", "zone"], 2),
    row("add_days", Filter::AddDays, &["days"], 1),
    row("capitalize", Filter::Capitalize, &[], 0),
    row("count", Filter::Length, &[], 0),
    row("currency", Filter::Currency, &["code"], 1),
    row("d", Filter::Default, &["value", "also_empty"], 0),
    row("date", Filter::Date, &["format", "zone", "language"], 0),
    row("days_between", Filter::DaysBetween, &["other", "zone"], 1),
    row("default", Filter::Default, &["value", "also_empty"], 0),
    row("first", Filter::First, &[], 0),
    row("float", Filter::Float, &["default"], 0),
    row("format_number", Filter::FormatNumber, &["decimals", "language"], 0),
    row("from_epoch", Filter::FromEpoch, &["unit"], 0),
    row("from_json", Filter::FromJson, &[], 0),
    row("index", Filter::Index, &["value", "by"], 1),
    row("int", Filter::Int, &["default"], 0),
    row("join", Filter::Join, &["sep"], 0),
    row("json", Filter::Json, &[], 0),
    row("last", Filter::Last, &[], 0),
    row("length", Filter::Length, &[], 0),
    row("local", Filter::Local, &["zone"], 0),
    row("lower", Filter::Lower, &[], 0),
    row("map", Filter::Map, &["field"], 1),
    row("match", Filter::Match, &["pattern"], 1),
    row("max", Filter::Max, &[], 0),
    row("min", Filter::Min, &[], 0),
    row("number", Filter::Number, &[], 0),
    row("replace", Filter::Replace, &["old", "new"], 2),
    row("reverse", Filter::Reverse, &[], 0),
    row("round", Filter::Round, &["precision"], 0),
    row("slice", Filter::Slice, &["start", "count"], 1),
    row("sort", Filter::Sort, &["by", "reverse"], 0),
    row("split", Filter::Split, &["sep"], 0),
    row("string", Filter::String, &[], 0),
    row("sum", Filter::Sum, &["by"], 0),
    row("title", Filter::Title, &[], 0),
    row("trim", Filter::Trim, &["chars"], 0),
    row("truncate", Filter::Truncate, &["length", "end"], 1),
    row("unique", Filter::Unique, &["by"], 0),
    row("upper", Filter::Upper, &[], 0),
    row("urlencode", Filter::UrlEncode, &[], 0),
    row("weekday", Filter::Weekday, &["zone"], 0),
    row("where", Filter::Where, &["field", "sign", "value"], 1),
    row("without", Filter::Without, &["items", "by"], 1),
];

/// The filter of a name.
pub(in crate::flow::lang::expr) fn find(name: &str) -> Option<&'static FilterRow> {
    const TABLE: &[FilterRow] = &ROWS;
    TABLE.iter().find(|row| row.name == name)
}

impl FilterRow {
    /// Returns the kind of value that a parameter takes, where that is one alone.
    pub(in crate::flow::lang::expr) fn takes(&self, param: usize) -> Option<Takes> {
        Some(match (self.filter, *self.params.get(param)?) {
            (Filter::Sort, "by") => Takes::FieldOrTruth,
            (Filter::Sort, "reverse") => Takes::Truth,
            (_, "field" | "by") => Takes::Field,
            (Filter::Match, _) => Takes::Text,
            (Filter::Split | Filter::Join, "sep") | (Filter::Truncate, "end") | (Filter::Trim, "chars") => {
                Takes::Text
            }
            (Filter::Truncate, "length")
            | (Filter::Round, "precision")
            | (Filter::FormatNumber, "decimals")
            | (Filter::Slice, _) => Takes::Whole,
            _ => return None,
        })
    }
}

/// A kind of value that a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::flow::lang::expr) enum Takes {
    Text,
    Field,
    FieldOrTruth,
    Truth,
    Whole,
}

impl Takes {
    /// The kind, for a message.
    pub(in crate::flow::lang::expr) fn what(self) -> &'static str {
        match self {
            Self::Text => "a text in quotes",
            Self::Field => "the name of a field in quotes",
            Self::FieldOrTruth => "the name of a field in quotes, or true",
            Self::Truth => "true or false",
            Self::Whole => "a whole number",
        }
    }
}

impl Filter {
    /// True if it takes a list, and makes nothing else of null.
    pub(super) fn is_of_lists(self) -> bool {
        matches!(
            self,
            Self::First
                | Self::Last
                | Self::Reverse
                | Self::Sort
                | Self::Min
                | Self::Max
                | Self::Sum
                | Self::Map
                | Self::Where
                | Self::Unique
                | Self::Without
                | Self::Slice
                | Self::Index
        )
    }

    /// True if it makes something of what is not defined.
    pub(super) fn takes_undefined(self) -> bool {
        matches!(
            self,
            Self::Default | Self::Int | Self::Float | Self::Length | Self::Join | Self::Json | Self::String
        )
    }
}
