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
    Int,
    Join,
    Json,
    Last,
    Length,
    Local,
    Lower,
    Max,
    Min,
    Number,
    Replace,
    Reverse,
    Round,
    Sort,
    Split,
    String,
    Sum,
    Title,
    Trim,
    Truncate,
    Upper,
    UrlEncode,
    Weekday,
}

/// A filter as it is written.
pub(in crate::flow::lang::expr) struct Row {
    pub(in crate::flow::lang::expr) name: &'static str,
    pub(in crate::flow::lang::expr) filter: Filter,
    pub(in crate::flow::lang::expr) params: &'static [&'static str],
    pub(in crate::flow::lang::expr) required: usize,
}

const fn row(name: &'static str, filter: Filter, params: &'static [&'static str], required: usize) -> Row {
    Row { name, filter, params, required }
}

pub(in crate::flow::lang::expr) const ROWS: [Row; 35] = [
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
    row("int", Filter::Int, &["default"], 0),
    row("join", Filter::Join, &["sep"], 0),
    row("json", Filter::Json, &[], 0),
    row("last", Filter::Last, &[], 0),
    row("length", Filter::Length, &[], 0),
    row("local", Filter::Local, &["zone"], 0),
    row("lower", Filter::Lower, &[], 0),
    row("max", Filter::Max, &[], 0),
    row("min", Filter::Min, &[], 0),
    row("number", Filter::Number, &[], 0),
    row("replace", Filter::Replace, &["old", "new"], 2),
    row("reverse", Filter::Reverse, &[], 0),
    row("round", Filter::Round, &["precision"], 0),
    row("sort", Filter::Sort, &["reverse"], 0),
    row("split", Filter::Split, &["sep"], 0),
    row("string", Filter::String, &[], 0),
    row("sum", Filter::Sum, &[], 0),
    row("title", Filter::Title, &[], 0),
    row("trim", Filter::Trim, &["chars"], 0),
    row("truncate", Filter::Truncate, &["length", "end"], 1),
    row("upper", Filter::Upper, &[], 0),
    row("urlencode", Filter::UrlEncode, &[], 0),
    row("weekday", Filter::Weekday, &["zone"], 0),
];

/// The filter of a name.
pub(in crate::flow::lang::expr) fn find(name: &str) -> Option<&'static Row> {
    const TABLE: &[Row] = &ROWS;
    TABLE.iter().find(|row| row.name == name)
}

impl Filter {
    /// True if it makes something of what is not defined.
    pub(super) fn takes_undefined(self) -> bool {
        matches!(
            self,
            Self::Default | Self::Int | Self::Float | Self::Length | Self::Join | Self::Json | Self::String
        )
    }
}
