//! The crate's source, read as text: its files, what each names, and who defines what is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Each file below `src/`: its path from there, and its text.
pub(crate) fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        (name, fs::read_to_string(&path).expect("a readable file"))
    };
    paths.into_iter().map(read).collect()
}

/// The code of a file: without comments, and without its tests.
pub(crate) fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

pub(crate) fn is_test(file: &str) -> bool {
    file.ends_with("tests.rs") || file.contains("/tests/")
}

/// A path of names, such as `crate::flow::Flow`.
type Names = Vec<String>;

/// A file as far as it names others.
#[derive(Default)]
struct File {
    path: String,
    /// The names that it brings into scope, each by its name here.
    imports: BTreeMap<String, Names>,
    /// The paths that it names, imports included unless they are handed on alone.
    named: Vec<Names>,
}

/// The crate's files by their modules, tests left out.
pub(crate) struct Source {
    files: BTreeMap<Names, File>,
}

impl Source {
    /// Reads the crate.
    pub(crate) fn of_crate() -> Self {
        Self::of(files())
    }

    /// Reads files: their paths below `src/`, and their texts.
    pub(crate) fn of(files: Vec<(String, String)>) -> Self {
        let module = |path: &str| -> Names {
            let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
            path.split('/').filter(|part| *part != "lib").map(ToOwned::to_owned).collect()
        };
        let tests: BTreeSet<Names> = files
            .iter()
            .flat_map(|(path, text)| test_modules(text).map(|child| child_of(&module(path), &child)))
            .collect();
        let is_code = |path: &str| !is_test(path) && !tests.contains(&module(path));
        let files = files.iter().filter(|(path, _)| is_code(path));
        Self { files: files.map(|(path, text)| (module(path), File::read(path, text))).collect() }
    }

    /// The arrows between the files below one folder: from the one that names to the one that
    /// defines. A file that only hands on what another defines is passed through.
    pub(crate) fn arrows(&self, folder: &str) -> BTreeMap<String, BTreeSet<String>> {
        let is_inside = |module: &Names| module.first().is_some_and(|first| first == folder);
        let mut arrows = BTreeMap::new();
        for (module, file) in self.files.iter().filter(|(module, _)| is_inside(module)) {
            let named = file.named.iter().filter_map(|names| self.absolute(module, names));
            let defined = named.filter_map(|names| self.defined_in(&names, 0));
            let others = defined.filter(|other| *other != module && is_inside(other));
            let others = others.filter_map(|other| Some(self.files.get(other)?.path.clone()));
            arrows.insert(file.path.clone(), others.collect::<BTreeSet<_>>());
        }
        arrows
    }

    /// A path from the root of the crate; none if it leads out of the crate.
    fn absolute(&self, module: &Names, names: &[String]) -> Option<Names> {
        let (first, rest) = names.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let parent = module.split_last()?.1.to_vec();
                if rest.first().is_some_and(|next| next == "super") {
                    return self.absolute(&parent, rest);
                }
                Some([&parent, rest].concat())
            }
            _ if self.files.contains_key(&child_of(module, first)) => Some([module, names].concat()),
            _ => {
                let import = self.files.get(module)?.imports.get(first)?;
                let is_itself = import.first() == Some(first);
                if is_itself {
                    None
                } else {
                    Some([self.absolute(module, import)?.as_slice(), rest].concat())
                }
            }
        }
    }

    /// The module that defines what a path from the root leads to; none for a module itself.
    fn defined_in(&self, names: &[String], depth: usize) -> Option<&Names> {
        assert!(depth < 20, "{names:?} is handed on in a circle");
        let known = (0..names.len()).rev().find(|count| self.files.contains_key(&names[..*count]))?;
        if self.files.contains_key(names) {
            return None;
        }
        let (module, file) = self.files.get_key_value(&names[..known])?;
        let handed_on = file.imports.get(&names[known]).and_then(|import| self.absolute(module, import));
        let handed_on = handed_on.map(|import| [import.as_slice(), &names[known + 1..]].concat());
        handed_on.and_then(|names| self.defined_in(&names, depth + 1)).or(Some(module))
    }
}

fn child_of(module: &[String], child: &str) -> Names {
    [module, &[child.to_owned()]].concat()
}

/// The modules that a file declares for tests alone.
fn test_modules(text: &str) -> impl Iterator<Item = String> {
    text.split("#[cfg(test)]\n").skip(1).filter_map(|rest| {
        let line = rest.lines().next()?.trim();
        let name = line.strip_suffix(';')?.rsplit_once("mod ")?.1;
        Some(name.to_owned())
    })
}

impl File {
    fn read(path: &str, text: &str) -> Self {
        let tokens = tokens(&code(text));
        let mut file = Self { path: path.to_owned(), ..Self::default() };
        let (mut at, mut handed_on, mut words) = (0, Vec::new(), BTreeSet::new());
        while let Some(token) = tokens.get(at) {
            if token == "use" {
                let is_public = at > 0 && matches!(tokens[at - 1].as_str(), "pub" | ")");
                let mut tree = Vec::new();
                at = read_tree(&tokens, at + 1, &[], &mut tree);
                for (names, alias) in tree {
                    let place = if is_public { &mut handed_on } else { &mut file.named };
                    place.push(names.clone());
                    file.imports.insert(alias, names);
                }
                continue;
            }
            if is_name(token) && (at == 0 || !matches!(tokens[at - 1].as_str(), "::" | "$")) {
                let mut names = vec![token.clone()];
                while tokens.get(at + 1).is_some_and(|next| next == "::")
                    && let Some(next) = tokens.get(at + 2).filter(|next| is_name(next))
                {
                    names.push(next.clone());
                    at += 2;
                }
                words.insert(names[0].clone());
                if names.len() > 1 {
                    file.named.push(names);
                }
            }
            at += 1;
        }
        // What a file both hands on and uses itself, it knows.
        file.named.extend(
            handed_on.into_iter().filter(|names| names.last().is_some_and(|last| words.contains(last))),
        );
        file
    }
}

/// Reads what follows `use`: each path with the name that it has here. The place behind it.
fn read_tree(tokens: &[String], mut at: usize, before: &[String], found: &mut Vec<(Names, String)>) -> usize {
    let mut names = before.to_vec();
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "::" => {}
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    at = read_tree(tokens, at, &names, found);
                    at += usize::from(tokens.get(at).is_some_and(|token| token == ","));
                }
                return at + 1;
            }
            "as" => {
                let alias = tokens.get(at + 1).cloned().unwrap_or_default();
                found.push((names, alias));
                return at + 2;
            }
            "self" if !before.is_empty() => {}
            name if is_name(name) || name == "*" => names.push(name.to_owned()),
            _ => break,
        }
        at += 1;
    }
    if let Some(last) = names.last() {
        let alias = last.clone();
        found.push((names, alias));
    }
    at
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::`, and each other sign by itself.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            _ if rest.starts_with("::") => 2,
            _ if is_name(rest) => {
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
            }
            other => other.len_utf8(),
        };
        tokens.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    tokens
}

/// The sets of files that know each other in a circle.
pub(crate) fn circles(arrows: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<Vec<String>> {
    let reached = |from: &String| {
        let mut reached = BTreeSet::new();
        let mut queue = vec![from];
        while let Some(next) = queue.pop() {
            let news =
                arrows.get(next).into_iter().flatten().filter(|other| reached.insert((*other).clone()));
            queue.extend(news);
        }
        reached
    };
    let all: BTreeMap<&String, BTreeSet<String>> = arrows.keys().map(|file| (file, reached(file))).collect();
    let circle_of = |file: &String| -> Vec<String> {
        let both = all[file].iter().filter(|other| all.get(other).is_some_and(|back| back.contains(file)));
        both.cloned().collect()
    };
    all.keys().map(|file| circle_of(file)).filter(|circle| !circle.is_empty()).collect()
}
