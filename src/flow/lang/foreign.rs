//! Placeholders in the form of other products, which contacts would see as they are written
//! (SEMANTICS C). Each is reported with the form that this crate reads.

use crate::flow::lang::expr::Expr;
use crate::flow::lang::template::Template;
use crate::limits::Limits;

/// A placeholder of another product.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// A description of the fault.
    pub(crate) message: String,
    /// The advice on what to write instead.
    pub(crate) fix: String,
}

/// Names behind `@` that some products begin their expressions with.
const ROOTS: [&str; 19] = [
    "contact",
    "results",
    "result",
    "fields",
    "flow",
    "input",
    "run",
    "parent",
    "child",
    "urns",
    "globals",
    "step",
    "webhook",
    "trigger",
    "legacy_extra",
    "extra",
    "node",
    "resume",
    "ticket",
];

/// Names in single brackets and percent signs that are somebody, and no part of a sentence.
const PEOPLE: [&str; 5] = ["contact", "user", "customer", "subscriber", "lead"];

/// Words of fields, by which two words in braces are known for a placeholder.
const FIELDS: [&str; 18] = [
    "name", "number", "code", "date", "time", "id", "email", "phone", "address", "city", "country",
    "company", "amount", "price", "total", "order", "product", "link",
];

/// Characters of a placeholder, at most.
const MOST_CHARS: usize = 64;

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
    found.extend(left_over(template));
    found.truncate(MOST);
    found
}

/// A text that is a path of the flow without its braces, or begins with one and is an expression as
/// a whole: the right form.
pub(crate) fn bare_path(text: &str, limits: &Limits) -> Option<String> {
    let text = text.trim();
    let (root, rest) = text.split_once('.')?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let field = rest.get(..rest.find(|c| !is_part(c)).unwrap_or(rest.len())).unwrap_or_default();
    let is_known = match root {
        "vars" | "context" => super::names::is_name(field),
        root => super::names::fields_of(root).contains(&field),
    };
    (is_known && Expr::parse(text, limits).is_ok()).then(|| format!("{{{{ {text} }}}}"))
}

fn in_text(text: &str, found: &mut Vec<Foreign>) {
    for (open, close) in MARKS {
        let named = between(text, open, close)
            .map(|name| (name, name.trim().trim_start_matches('=').trim().to_lowercase()));
        let is_tight = |written: &str| open == "<%" || !written.contains(char::is_whitespace);
        let named =
            named.filter(|(written, name)| is_tight(written) && name.split('.').all(super::names::is_name));
        found.extend(named.map(|(written, name)| Foreign {
            message: format!("`{open}{written}{close}` is sent as it is written"),
            fix: format!("write {{{{ {name} }}}}"),
        }));
    }
    for (at, c) in text.char_indices() {
        let (before, rest) = (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default());
        found.extend(match c {
            '@' => at_bracket(before, rest).or_else(|| at_sign(before, rest)),
            '{' => braces(before, rest),
            '%' | '[' => around(c, before, rest),
            _ => None,
        });
    }
}

/// The texts between two marks.
fn between<'t>(text: &'t str, open: &'t str, close: &'t str) -> impl Iterator<Item = &'t str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, behind) = rest.split_once(open)?;
        let (inside, after) = behind.split_once(close)?;
        // A mark that closes as it opens is used up where there is a name before it.
        let is_used = open == close && !inside.contains(char::is_whitespace);
        rest = if is_used { after } else { behind };
        Some(inside)
    })
}

/// Braces that belong to no placeholder and to no brace before them: `contact.name }}`, and what is
/// left over behind `{{ name }}}`.
fn left_over(template: &Template) -> Option<Foreign> {
    let mut depth = 0_usize;
    for text in template.texts() {
        for (at, c) in text.char_indices() {
            match c {
                '{' => depth = depth.saturating_add(1),
                '}' if depth > 0 => depth = depth.saturating_sub(1),
                '}' => {
                    let (before, rest) = (text.get(..at)?, text.get(at..)?);
                    let name = before.trim_end().rsplit(|c: char| c.is_whitespace() || c == '{').next()?;
                    let is_name = is_path(name) && rest.starts_with("}}");
                    let is_last = at == 0 && template.as_literal().is_none();
                    if !is_last && !rest.starts_with("}}") {
                        continue;
                    }
                    return Some(Foreign {
                        message: "`}` without a brace before it is sent as it is written".to_owned(),
                        fix: match is_name {
                            true => format!("write {{{{ {name} }}}}"),
                            false => "remove it, or write two braces before the name".to_owned(),
                        },
                    });
                }
                _ => {}
            }
        }
    }
    None
}

/// `%contact.name%` and `[contact.name]`: the field of somebody, or a name with a line in it.
fn around(sign: char, before: &str, rest: &str) -> Option<Foreign> {
    let close = if sign == '[' { ']' } else { sign };
    let (name, behind) = rest.strip_prefix(sign)?.split_once(close)?;
    let (root, field) = name.split_once('.').unwrap_or((name, ""));
    let is_field = !field.is_empty() && PEOPLE.contains(&root);
    let is_name = is_path(name) && (is_field || (field.is_empty() && name.contains('_')));
    // A rate, a pair of signs, the text of a link.
    let is_other = before.ends_with(|c: char| c == sign || c.is_alphanumeric())
        || behind.starts_with(|c: char| c == close || c == '(' || c.is_alphanumeric());
    (is_name && !is_other).then(|| Foreign {
        message: format!("`{sign}{name}{close}` is sent as it is written"),
        fix: format!("write {{{{ {} }}}}", name.to_lowercase()),
    })
}

/// True of a name, or of a path of names, with hyphens in it or without.
fn is_path(name: &str) -> bool {
    name.len() <= MOST_CHARS && name.split('.').all(|part| super::names::is_name(&part.replace('-', "_")))
}

/// Returns the name in braces, as it is written here.
fn named(inside: &str) -> Option<String> {
    let name = inside.trim().trim_start_matches('$');
    if is_path(name) {
        return Some(name.replace('-', "_"));
    }
    let (first, second) = name.split_once(' ')?;
    let is_field = |word: &str| FIELDS.contains(&word.to_lowercase().as_str());
    let is_name = is_path(first) && is_path(second) && (is_field(first) || is_field(second));
    is_name.then(|| format!("{first}_{second}").to_lowercase())
}

/// The first path in an expression of a programming language.
fn first_path(inside: &str) -> &str {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let inside = inside.trim_start();
    let end = inside.find(|c| !is_part(c)).unwrap_or(inside.len());
    inside.get(..end).unwrap_or_default().trim_end_matches('.')
}

/// `@(upper(contact.name))`.
fn at_bracket(before: &str, rest: &str) -> Option<Foreign> {
    let inside = rest.strip_prefix("@(").filter(|_| !before.ends_with('@'))?;
    let mut depth = 1_u32;
    let end = inside.char_indices().take(2 * MOST_CHARS).find_map(|(at, c)| {
        depth = match c {
            '(' => depth.saturating_add(1),
            ')' => depth.saturating_sub(1),
            _ => depth,
        };
        (depth == 0).then_some(at)
    });
    let inside = inside.get(..end?)?;
    let is_expression = inside.starts_with(|c: char| c.is_ascii_alphabetic())
        && (inside.contains('(')
            || ROOTS.iter().any(|root| first_path(inside).starts_with(&format!("{root}."))));
    is_expression.then(|| Foreign {
        message: format!("`@({inside})` is sent as it is written"),
        fix: "write the expression in braces, such as {{ contact.name | upper }}".to_owned(),
    })
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
    let inside = rest.strip_prefix('{')?.split_once('}')?.0;
    let is_short = inside.chars().count() <= MOST_CHARS;
    let dollar = if before.ends_with('$') { "$" } else { "" };
    let name = match named(inside).filter(|_| is_short) {
        Some(name) => name,
        None => {
            let path = first_path(inside);
            let is_expression = is_short && !dollar.is_empty() && is_path(path);
            is_expression.then(|| path.to_owned())?
        }
    };
    Some(Foreign {
        message: format!("`{dollar}{{{inside}}}` is sent as it is written"),
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
    let first = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
    // Of a run of another flow the results are this flow's variables.
    let is_run = ["run", "parent", "child"].contains(&root);
    let field = field.strip_prefix("results.").filter(|_| is_run).unwrap_or(field);
    let own = field.strip_prefix("fields.");
    let known = own.is_none() && super::names::fields_of("contact").contains(&&*first(field));
    let field = own.unwrap_or(field);
    let name = match root {
        "contact" if known => format!("contact.{}", first(field)),
        "contact" | "fields" => format!("contact.fields.{field}"),
        "input" => "reply.text".to_owned(),
        "results" | "result" | "flow" | "run" | "parent" | "child" => format!("vars.{}", first(field)),
        "webhook" => format!("vars.{}", first(field.strip_prefix("json.").unwrap_or(field))),
        "trigger" => format!("context.{}", first(field.strip_prefix("params.").unwrap_or(field))),
        _ => format!("context.{}", first(field)),
    };
    Some(Foreign {
        message: format!("`@{path}` is sent as it is written"),
        fix: format!("write {{{{ {name} }}}}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (
                "@contact.name.first",
                "`@contact.name.first` is sent as it is written; write {{ contact.name }}",
            ),
            ("@webhook.json.price", "`@webhook.json.price` is sent as it is written; write {{ vars.price }}"),
            (
                "@trigger.params.order",
                "`@trigger.params.order` is sent as it is written; write {{ context.order }}",
            ),
            ("@legacy_extra.a", "`@legacy_extra.a` is sent as it is written; write {{ context.a }}"),
            ("@extra.a", "`@extra.a` is sent as it is written; write {{ context.a }}"),
            ("@node.uuid", "`@node.uuid` is sent as it is written; write {{ context.uuid }}"),
            ("@resume.type", "`@resume.type` is sent as it is written; write {{ context.type }}"),
            ("@ticket.topic", "`@ticket.topic` is sent as it is written; write {{ context.topic }}"),
            (
                "Hi @(upper(contact.name))!",
                "`@(upper(contact.name))` is sent as it is written; \
                 write the expression in braces, such as {{ contact.name | upper }}",
            ),
            (
                "${user.first-name}",
                "`${user.first-name}` is sent as it is written; write {{ user.first_name }}",
            ),
            ("${contact['name']}", "`${contact['name']}` is sent as it is written; write {{ contact }}"),
            ("${name || 'you'}", "`${name || 'you'}` is sent as it is written; write {{ name }}"),
            ("${ name }", "`${ name }` is sent as it is written; write {{ name }}"),
            ("{ name }", "`{ name }` is sent as it is written; write {{ name }}"),
            ("{first name}", "`{first name}` is sent as it is written; write {{ first_name }}"),
            (
                "{contact.first-name}",
                "`{contact.first-name}` is sent as it is written; write {{ contact.first_name }}",
            ),
            ("{$name}", "`{$name}` is sent as it is written; write {{ name }}"),
            ("Hi %%name%%!", "`%%name%%` is sent as it is written; write {{ name }}"),
            ("%%contact.name%%", "`%%contact.name%%` is sent as it is written; write {{ contact.name }}"),
            ("5 %% of %%name%%", "`%%name%%` is sent as it is written; write {{ name }}"),
            ("@child.results.size", "`@child.results.size` is sent as it is written; write {{ vars.size }}"),
            ("@parent.results.a.b", "`@parent.results.a.b` is sent as it is written; write {{ vars.a }}"),
            (
                "Hi {{ contact.name }}}!",
                "`}` without a brace before it is sent as it is written; \
                 remove it, or write two braces before the name",
            ),
            (
                "Hi contact.name }}",
                "`}` without a brace before it is sent as it is written; write {{ contact.name }}",
            ),
            ("Hi %contact.name%,", "`%contact.name%` is sent as it is written; write {{ contact.name }}"),
            ("%FIRST_NAME%", "`%FIRST_NAME%` is sent as it is written; write {{ first_name }}"),
            ("Hi [contact.name]", "`[contact.name]` is sent as it is written; write {{ contact.name }}"),
        ] {
            assert_eq!(told(source), [expected], "{source}");
        }
    }

    #[test]
    fn a_path_without_braces_is_told_where_it_is_all_there_is() {
        let told = |text: &str| bare_path(text, &Limits::default());
        for text in [
            "contact.name",
            " vars.total ",
            "vars.b + 1",
            "reply.form.note",
            "context.items[0].id",
            "flow.name",
        ] {
            assert_eq!(told(text), Some(format!("{{{{ {} }}}}", text.trim())), "{text}");
        }
        for text in [
            "contact.nope",
            "vars.",
            "vars",
            "shop.example",
            "contact.name, hello",
            "reply.text please",
            "Say vars.total",
            "trigger.happy",
            "1.5",
            "session.example/x",
            "item.name",
        ] {
            assert_eq!(told(text), None, "{text}");
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
            "{see below}",
            "from 5% to 10% of it",
            "5%a_b%",
            "[shop.example](https://shop.example)",
            "[x], [see below]",
            "ask @(home)",
            "costs ${5}",
            "{\"a\": {\"b\": \"{{ context.n }}\"}}",
            "{\"a\": {{ context.n }}}",
            ":-} {{ contact.name }} :}",
            "50%% off, 20%% more",
            "%%",
        ] {
            assert_eq!(told(source), [""; 0], "{source}");
        }
    }
}
