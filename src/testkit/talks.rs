//! A folder of talks with a flow, each file a test of its own.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use super::coverage::Coverage;
use super::run::{TalkRun, journals};
use crate::engine::Rehearsal;
use crate::error::Error;
use crate::flow::Flow;
use crate::talk::{Played, Talk};

/// The talks of a flow, in files beside the host's tests. The macro [`talks!`](super::talks) makes
/// each of them a test; here they are found when the tests run, as a harness such as
/// `libtest-mimic` wants them:
///
/// ```no_run
/// # struct Trial; struct Failed(String);
/// # impl Trial { fn test(_: String, _: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Self { Self } }
/// # impl From<String> for Failed { fn from(text: String) -> Self { Self(text) } }
/// use chatflow::testkit::Talks;
///
/// let talks = Talks::new(env!("CARGO_MANIFEST_DIR"), "flows/cart.json", "talks/cart/*.talk").at_least(90.0);
/// let trials: Vec<Trial> = talks
///     .trials()
///     .expect("the folder is there")
///     .into_iter()
///     .map(|trial| Trial::test(trial.name().to_owned(), move || Ok(trial.run()?)))
///     .collect();
/// // libtest_mimic::run(&Arguments::from_args(), trials).exit();
/// ```
///
/// Where the variable `UPDATE` is set, a talk that goes otherwise is written down as it goes now.
/// Where `CHATFLOW_COVERAGE` names a folder, each talk [saves](Coverage::save) there what it came
/// to, and the coverage of the flow is put there as `FLOW.lcov`, `FLOW.cobertura.xml`, `FLOW.mmd`
/// and `FLOW.svg`.
#[derive(Clone)]
pub struct Talks {
    root: PathBuf,
    flow: String,
    beside: Vec<String>,
    pattern: String,
    at_least: f64,
    setup: Arc<dyn Fn(Rehearsal) -> Rehearsal + Send + Sync>,
}

impl fmt::Debug for Talks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Talks")
            .field("flow", &self.flow)
            .field("pattern", &self.pattern)
            .finish_non_exhaustive()
    }
}

/// One test: a talk, or the threshold of the coverage.
pub struct TalkTrial {
    name: String,
    run: Box<dyn FnOnce() -> Result<(), String> + Send>,
}

impl fmt::Debug for TalkTrial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TalkTrial").field("name", &self.name).finish_non_exhaustive()
    }
}

impl TalkTrial {
    /// Returns the file of the talk, or `coverage of` and the flow's file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs it.
    ///
    /// # Errors
    /// The text to show to the author.
    pub fn run(self) -> Result<(), String> {
        (self.run)()
    }
}

impl Talks {
    /// The talks of a flow; both paths begin at `root`, the folder with the host's manifest. The
    /// pattern may have `*` in its last part.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, flow: &str, pattern: &str) -> Self {
        let (flow, pattern) = (flow.to_owned(), pattern.to_owned());
        Self {
            root: root.into(),
            flow,
            beside: Vec::new(),
            pattern,
            at_least: 0.0,
            setup: Arc::new(|run| run),
        }
    }

    /// With another flow that it may call.
    #[must_use]
    pub fn beside(mut self, flow: &str) -> Self {
        self.beside.push(flow.to_owned());
        self
    }

    /// With a rehearsal that is prepared before each talk, for example by
    /// [`with_call`](Rehearsal::with_call).
    #[must_use]
    pub fn setup(mut self, setup: impl Fn(Rehearsal) -> Rehearsal + Send + Sync + 'static) -> Self {
        self.setup = Arc::new(setup);
        self
    }

    /// With a threshold of the coverage, in percent.
    #[must_use]
    pub fn at_least(mut self, percent: f64) -> Self {
        self.at_least = percent;
        self
    }

    /// Returns the files of the talks, each as a path from the root.
    ///
    /// # Errors
    /// The folder cannot be read, or no file fits.
    pub fn files(&self) -> Result<Vec<String>, String> {
        let (folder, name) = self.pattern.rsplit_once('/').unwrap_or(("", &self.pattern));
        let read = fs::read_dir(self.root.join(folder)).map_err(|error| format!("{folder}: {error}"))?;
        let names = read.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut files: Vec<String> = names
            .filter(|found| fits(name, found))
            .map(|found| if folder.is_empty() { found } else { format!("{folder}/{found}") })
            .collect();
        files.sort();
        if files.is_empty() { Err(format!("no file is `{}`", self.pattern)) } else { Ok(files) }
    }

    /// Returns every talk as a test, and the threshold as one more.
    ///
    /// # Errors
    /// Those of [`files`](Self::files).
    pub fn trials(&self) -> Result<Vec<TalkTrial>, String> {
        let mut trials = Vec::new();
        for name in self.files()? {
            let (talks, file) = (self.clone(), name.clone());
            trials.push(TalkTrial { name, run: Box::new(move || talks.check(&file)) });
        }
        let (talks, name) = (self.clone(), format!("coverage of {}", self.flow));
        trials.push(TalkTrial { name, run: Box::new(move || talks.check_coverage(None)) });
        Ok(trials)
    }

    /// Plays one talk.
    ///
    /// # Errors
    /// The file, the line and the first difference, with the talk so far.
    pub fn check(&self, file: &str) -> Result<(), String> {
        let run = self.play(file)?;
        if let (Some(folder), Some(coverage)) = (env::var_os("CHATFLOW_COVERAGE"), self.covered(&run)) {
            let saved = coverage.save(Path::new(&folder), &format!("{}.{file}", self.flow));
            saved.map_err(|error| format!("CHATFLOW_COVERAGE: {error}"))?;
        }
        self.compare(file, run.played())
    }

    fn compare(&self, file: &str, played: &Played) -> Result<(), String> {
        let Some(difference) = played.difference() else { return Ok(()) };
        let path = self.root.join(file);
        if env::var_os("UPDATE").is_some() && played.is_whole() {
            return fs::write(&path, played.text()).map_err(|error| format!("{file}: {error}"));
        }
        let hint = if played.is_whole() { "\nUPDATE=1 writes it down as it goes now" } else { "" };
        Err(format!(
            "{}:{}: the talk took another course\n{difference}{hint}",
            path.display(),
            difference.line
        ))
    }

    /// Returns the coverage of the flow by all talks together.
    ///
    /// # Errors
    /// Those of the files.
    pub fn coverage(&self) -> Result<Coverage, String> {
        let mut all = Coverage::new();
        for file in self.files()? {
            let run = self.play(&file)?;
            let covered = self.covered(&run);
            all.merge(&covered.ok_or_else(|| format!("{} cannot run: it has issues", self.flow))?);
        }
        Ok(all)
    }

    /// Passes if the talks come to as much of the flow as was asked for; and if they are those of a
    /// list, where one is given, such as the one that [`talks!`](super::talks) was compiled with.
    ///
    /// # Errors
    /// The nodes and branches that were missed.
    pub fn check_coverage(&self, known: Option<&[&str]>) -> Result<(), String> {
        let files = self.files()?;
        if let Some(new) =
            files.iter().find(|file| known.is_some_and(|known| !known.contains(&file.as_str())))
        {
            return Err(format!(
                "`{new}` is newer than this test: save the file with `talks!` and run again"
            ));
        }
        let coverage = self.coverage()?;
        self.report(coverage.clone())?;
        coverage.check(self.at_least).map_err(|below| format!("{}: {below}\n{coverage}", self.flow))
    }

    /// Puts a coverage where a forge looks for it: files in the folder `CHATFLOW_COVERAGE`, with
    /// what other tests of the flow saved there, and marks in the lines of a pull request where
    /// GitHub runs it.
    fn report(&self, mut coverage: Coverage) -> Result<(), String> {
        let json = self.read(&self.flow)?;
        let Ok(flow) = Flow::from_json(&json) else { return Ok(()) };
        let said = |error: std::io::Error| format!("CHATFLOW_COVERAGE: {error}");
        let folder = env::var_os("CHATFLOW_COVERAGE").map(PathBuf::from);
        if let Some(folder) = &folder {
            fs::create_dir_all(folder).map_err(said)?;
            coverage.merge(&Coverage::load(folder).map_err(said)?.only_of(&coverage));
        }
        let file = self.file_in_repository();
        if env::var_os("GITHUB_ACTIONS").is_some() {
            // Not by `print!`, which the harness of tests keeps to itself.
            let _ = std::io::stdout().write_all(coverage.annotations(&flow, &file, &json).as_bytes());
        }
        let Some(folder) = folder else { return Ok(()) };
        let write = |end: &str, text: String| fs::write(folder.join(format!("{}.{end}", flow.id())), text);
        write("lcov", coverage.lcov(&flow, &file, &json))
            .and_then(|()| write("cobertura.xml", coverage.cobertura(&flow, &file, &json)))
            .and_then(|()| write("mmd", coverage.mermaid(&flow)))
            .and_then(|()| write("svg", coverage.svg(&flow)))
            .map_err(said)
    }

    /// The flow's file as forges name it: from the folder that holds `.git`, where there is one.
    fn file_in_repository(&self) -> String {
        let path = self.root.join(&self.flow);
        let path = path.canonicalize().unwrap_or(path);
        let repository = path.ancestors().find(|folder| folder.join(".git").exists());
        let file = repository.and_then(|folder| path.strip_prefix(folder).ok());
        let parts =
            file.map(|file| file.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"));
        parts.unwrap_or_else(|| self.flow.clone())
    }

    fn read(&self, file: &str) -> Result<String, String> {
        fs::read_to_string(self.root.join(file)).map_err(|error| format!("{file}: {error}"))
    }

    fn play(&self, file: &str) -> Result<TalkRun, String> {
        let (flow, talk) = (self.read(&self.flow)?, self.read(file)?);
        let talk = Talk::parse(&talk).map_err(|bad| {
            format!("{}:{}:{}: {}", self.root.join(file).display(), bad.line, bad.column, bad.rule)
        })?;
        let mut rehearsal = match Rehearsal::of(&flow) {
            Ok(rehearsal) => rehearsal,
            Err(Error::Issues(_)) => {
                return TalkRun::of(&flow, &[], &talk).map_err(|error| format!("{}: {error}", self.flow));
            }
            Err(error) => return Err(format!("{}: {error}", self.flow)),
        };
        for beside in &self.beside {
            let other = self.read(beside)?;
            rehearsal = rehearsal.with_flow(&other).map_err(|error| format!("{beside}: {error:#}"))?;
        }
        Ok(TalkRun::with((self.setup)(rehearsal), &talk))
    }

    fn covered(&self, run: &TalkRun) -> Option<Coverage> {
        run.rehearsal().map(|rehearsal| Coverage::of(rehearsal.flow(), &journals(rehearsal)))
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn assert_talk(&self, file: &str) {
        if let Err(told) = self.check(file) {
            panic!("\n{told}");
        }
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn assert_coverage(&self, known: &[&str]) {
        if let Err(told) = self.check_coverage(Some(known)) {
            panic!("\n{told}");
        }
    }
}

/// True if a file's name fits a pattern with `*`.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(first) else { return false };
    (0..=name.len()).any(|at| name.is_char_boundary(at) && fits(rest, &name[at..]))
}
