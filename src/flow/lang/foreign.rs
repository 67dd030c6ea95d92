//! Placeholders in the form of other products, which contacts would see as they are written
//! (SEMANTICS C). Each is reported with the form that this crate reads.

use crate::flow::lang::template::Template;

/// A placeholder of another product.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// A description of the fault.
    pub(crate) message: String,
    /// The advice on what to write instead.
    pub(crate) fix: String,
}

/// Names behind `@` that some products begin their expressions with.
const ROOTS: [&str; 12] = [
    "contact", "results", "result", "fields", "flow", "input", "run", "parent", "child", "urns", "globals",
    "step",
];

/// Signs around names that other products fill in.
const MARKS: [(&str, &str); 5] = [("<%", "%>"), ("[[", "]]"), ("*|", "|*"), ("{!", "}"), ("%%", "%%")];

/// Placeholders of others in a template, a few of them.
pub(crate) fn placeholders(template: &Template) -> Vec<Foreign> {
    const MOST: usize = 3;
    let mut found: Vec<Foreign> = Vec::new();
    for number in template.numbers() {
        found.push(Foreign {
            message: format!("`{{{{{number}}}}}` is the number {number}"),
            fix: "name what fills the gap, such as {{ contact.name }}".to_owned(),
        });
    }
    for text in template.texts() {
        in_text(text, &mut found);
    }
    found.truncate(MOST);
    found
}

fn in_text(text: &str, found: &mut Vec<Foreign>) {
    for (open, close) in MARKS {
        let inside = text.split(open).skip(1).filter_map(|rest| Some(rest.split_once(close)?.0));
        let named = inside.map(|name| (name, name.trim().trim_start_matches('=').trim().to_lowercase()));
        let is_tight = |written: &str| open == "<%" || !written.contains(char::is_whitespace);
        let named =
            named.filter(|(written, name)| is_tight(written) && name.split('.').all(super::names::is_name));
        found.extend(named.map(|(written, name)| Foreign {
            message: format!("`{open}{written}{close}` is sent as it is written"),
            fix: format!("write {{{{ {name} }}}}"),
        }));
    }
    for (at, c) in text.char_indices().filter(|(_, c)| matches!(c, '{' | '@')) {
        let (before, rest) = (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default());
        found.extend(if c == '@' { at_sign(before, rest) } else { braces(before, rest) });
    }
}

/// `{% … %}`, `${name}` and `{name}`.
fn braces(before: &str, rest: &str) -> Option<Foreign> {
    if let Some(inside) = rest.strip_prefix("{%") {
        let statement = inside.split_once("%}")?.0.trim().trim_matches('-').trim();
        let condition = statement.strip_prefix("if ").map(str::trim);
        if statement.starts_with("end") || statement.starts_with("else") {
            return None;
        }
        let condition = condition.filter(|condition| condition.len() <= 60).unwrap_or("condition");
        return Some(Foreign {
            message: "`{% … %}` is no statement here, and is sent as it is written".to_owned(),
            fix: format!("write {{{{ 'text' if {condition} else '' }}}}"),
        });
    }
    let name = rest.strip_prefix('{')?.split_once('}')?.0;
    let is_name = name.len() <= 64 && name.split('.').all(super::names::is_name);
    if !is_name {
        return None;
    }
    let dollar = if before.ends_with('$') { "$" } else { "" };
    Some(Foreign {
        message: format!("`{dollar}{{{name}}}` is sent as it is written"),
        fix: format!("write {{{{ {name} }}}}"),
    })
}

/// `@contact.name`, where it is no part of an address.
fn at_sign(before: &str, rest: &str) -> Option<Foreign> {
    if before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '@' | '.' | '_' | '-')) {
        return None;
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let path = rest.strip_prefix('@')?;
    let end = path.find(|c| !is_part(c)).unwrap_or(path.len());
    let path = path.get(..end)?.trim_end_matches('.');
    let (root, field) = path.split_once('.')?;
    if !ROOTS.contains(&root) || field.is_empty() {
        return None;
    }
    let field = field.strip_prefix("fields.").unwrap_or(field);
    let known = super::names::fields_of("contact").contains(&field);
    let name = match root {
        "contact" if known => format!("contact.{field}"),
        "contact" | "fields" => format!("contact.fields.{field}"),
        "input" => "reply.text".to_owned(),
        "results" | "result" | "flow" | "run" => format!("vars.{}", field.split('.').next().unwrap_or(field)),
        _ => format!("context.{}", field.split('.').next().unwrap_or(field)),
    };
    Some(Foreign {
        message: format!("`@{path}` is sent as it is written"),
        fix: format!("write {{{{ {name} }}}}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn told(source: &str) -> Vec<String> {
        let template = Template::parse(source, &Limits::default()).unwrap();
        placeholders(&template).into_iter().map(|found| format!("{}; {}", found.message, found.fix)).collect()
    }

    #[test]
    fn placeholders_of_others_are_told_with_the_right_form() {
        for (source, expected) in [
            ("Hi {{1}}", "`{{1}}` is the number 1; name what fills the gap, such as {{ contact.name }}"),
            ("Hi {{ 2 }}", "`{{2}}` is the number 2; name what fills the gap, such as {{ contact.name }}"),
            (
                "{% if context.vip %}dear{% endif %}",
                "`{% … %}` is no statement here, and is sent as it is written; write {{ 'text' if context.vip else '' }}",
            ),
            (
                "{%- for x in y -%}",
                "`{% … %}` is no statement here, and is sent as it is written; write {{ 'text' if condition else '' }}",
            ),
            ("Hi {name}", "`{name}` is sent as it is written; write {{ name }}"),
            ("Hi {contact.name}!", "`{contact.name}` is sent as it is written; write {{ contact.name }}"),
            ("Hi ${first_name}", "`${first_name}` is sent as it is written; write {{ first_name }}"),
            ("Hi @contact.name.", "`@contact.name` is sent as it is written; write {{ contact.name }}"),
            (
                "@contact.fields.age",
                "`@contact.fields.age` is sent as it is written; write {{ contact.fields.age }}",
            ),
            ("@contact.age", "`@contact.age` is sent as it is written; write {{ contact.fields.age }}"),
            ("@results.size.value", "`@results.size.value` is sent as it is written; write {{ vars.size }}"),
            ("@fields.city", "`@fields.city` is sent as it is written; write {{ contact.fields.city }}"),
            ("<%= name %>", "`<%= name %>` is sent as it is written; write {{ name }}"),
            ("Hi [[name]]!", "`[[name]]` is sent as it is written; write {{ name }}"),
            ("*|FNAME|*", "`*|FNAME|*` is sent as it is written; write {{ fname }}"),
            ("{!Contact.Name}", "`{!Contact.Name}` is sent as it is written; write {{ contact.name }}"),
            ("@input.text", "`@input.text` is sent as it is written; write {{ reply.text }}"),
        ] {
            assert_eq!(told(source), [expected], "{source}");
        }
    }

    #[test]
    fn what_people_write_is_no_placeholder() {
        for source in [
            "ada@contact.example",
            "mail me @ home",
            "@everyone",
            "{ }",
            "{\"a\": 1}",
            "{not a name}",
            "100 % {",
            "{{ '{name}' }}",
            "{{ 1 + 1 }}",
            "{{ context.n }}",
            "50% off",
            "@contact",
            "see @shop.example",
            "{% open",
            "{}",
            "a {1}",
            "[[1, 2], [3]]",
            "<% of them %>",
            "{! wait }, [[see below]]",
        ] {
            assert_eq!(told(source), [""; 0], "{source}");
        }
    }
}
