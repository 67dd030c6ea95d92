//! A coverage as others read it: people, forges, editors.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use super::{Coverage, Covered, MissedParts, sort_of};
use crate::diagram::Diagram;
use crate::flow::{Flow, FlowLines};
use crate::id::NodeId;

/// A node or a branch that no test came to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Missed {
    /// The flow.
    pub flow: String,
    /// The node.
    pub node: String,
    /// The branch that was not taken; None: the node itself.
    pub branch: Option<String>,
}

impl Missed {
    /// Returns the part.
    #[must_use]
    pub fn sort(&self) -> Covered {
        sort_of(self.branch.as_deref())
    }

    fn line(&self, lines: &FlowLines) -> u32 {
        let way = self.branch.as_deref().and_then(|branch| lines.way(&self.node, branch));
        way.or_else(|| lines.node(&self.node)).unwrap_or(1)
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sort(), self.node)?;
        self.branch.iter().try_for_each(|branch| write!(f, " -> {branch}"))
    }
}

/// As a table: for each flow what there is, what was met, and what was missed.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<24} {:>9} {:>9} {:>9} {:>8}", "flow", "nodes", "branches", "failures", "covered")?;
        for (flow, counts) in &self.flows {
            let own = Self { flows: BTreeMap::from([(flow.clone(), counts.clone())]) };
            let of = |sort| {
                let (there, met) = own.counts(sort);
                format!("{met}/{there}")
            };
            let (nodes, branches, failures) = (of(Covered::Node), of(Covered::Branch), of(Covered::Failure));
            let percent = own.percent();
            writeln!(f, "{flow:<24} {nodes:>9} {branches:>9} {failures:>9} {percent:>6.1} %")?;
            own.missed().iter().try_for_each(|missed| writeln!(f, "  missed: {missed}"))?;
        }
        Ok(())
    }
}

/// The lines of a file, each with how often it was come to; and its branches by their lines.
struct Tally<'c> {
    lines: BTreeMap<u32, u64>,
    branches: Vec<(u32, &'c str, &'c str, u64)>,
}

impl Coverage {
    fn tally(&self, flow: &str, lines: &FlowLines) -> Tally<'_> {
        let mut tally = Tally { lines: BTreeMap::new(), branches: Vec::new() };
        let Some(counts) = self.flows.get(flow) else { return tally };
        for (node, count) in &counts.nodes {
            let own = lines.node(node).unwrap_or(1);
            *tally.lines.entry(own).or_default() += count;
            for (branch, count) in counts.ways.get(node).into_iter().flatten() {
                let line = lines.way(node, branch).unwrap_or(own);
                if line != own {
                    *tally.lines.entry(line).or_default() += count;
                }
                tally.branches.push((own, node, branch, *count));
            }
        }
        tally.branches.sort();
        tally
    }

    /// Returns the record of a flow file in the form of lcov, which editors and forges show beside
    /// its lines: `path` is how the forge knows the file, `json` its text.
    #[must_use]
    pub fn lcov(&self, flow: &Flow, path: &str, json: &str) -> String {
        let Tally { lines, branches } = self.tally(flow.id().as_str(), &FlowLines::of(json));
        // Writing to a `String` cannot fail.
        let mut out = format!("TN:\nSF:{path}\n");
        for (place, (line, _, branch, count)) in branches.iter().enumerate() {
            let _ = writeln!(out, "BRDA:{line},0,{place} {branch},{count}");
        }
        let met = branches.iter().filter(|(.., count)| *count > 0).count();
        let _ = writeln!(out, "BRF:{}\nBRH:{met}", branches.len());
        for (line, count) in &lines {
            let _ = writeln!(out, "DA:{line},{count}");
        }
        let met = lines.values().filter(|count| **count > 0).count();
        let _ = writeln!(out, "LF:{}\nLH:{met}\nend_of_record", lines.len());
        out
    }

    /// Returns a report in the form of Cobertura, which GitLab, Jenkins and Azure read.
    #[must_use]
    pub fn cobertura(&self, flow: &Flow, path: &str, json: &str) -> String {
        let Tally { lines, branches } = self.tally(flow.id().as_str(), &FlowLines::of(json));
        let rate = |met: usize, there: usize| if there == 0 { 1.0 } else { met as f64 / there as f64 };
        let lines_met = lines.values().filter(|count| **count > 0).count();
        let ways_met = branches.iter().filter(|(.., count)| *count > 0).count();
        let rates = format!(
            "line-rate=\"{:.4}\" branch-rate=\"{:.4}\" complexity=\"0\"",
            rate(lines_met, lines.len()),
            rate(ways_met, branches.len())
        );
        let sums = format!(
            "lines-covered=\"{lines_met}\" lines-valid=\"{}\" branches-covered=\"{ways_met}\" branches-valid=\"{}\"",
            lines.len(),
            branches.len()
        );
        let (name, file) = (escaped(flow.id().as_str()), escaped(path));
        let mut out = format!(
            "<?xml version=\"1.0\"?>\n<coverage {rates} {sums} version=\"1\" timestamp=\"0\">\n\
             <sources><source>.</source></sources>\n<packages><package name=\"flows\" {rates}>\n\
             <classes><class name=\"{name}\" filename=\"{file}\" {rates}>\n<methods/>\n<lines>\n"
        );
        for (line, count) in &lines {
            let own: Vec<u64> =
                branches.iter().filter(|(at, ..)| at == line).map(|(.., count)| *count).collect();
            let met = own.iter().filter(|count| **count > 0).count();
            let _ = match own.len() {
                0 => writeln!(out, "<line number=\"{line}\" hits=\"{count}\" branch=\"false\"/>"),
                there => writeln!(
                    out,
                    "<line number=\"{line}\" hits=\"{count}\" branch=\"true\" condition-coverage=\"{}% ({met}/{there})\"/>",
                    met * 100 / there
                ),
            };
        }
        out.push_str("</lines></class></classes></package></packages>\n</coverage>\n");
        out
    }

    /// Returns a line for each thing missed, by which GitHub marks it in the lines of a pull
    /// request.
    #[must_use]
    pub fn annotations(&self, flow: &Flow, path: &str, json: &str) -> String {
        let lines = FlowLines::of(json);
        let missed = self.missed();
        let own = missed.iter().filter(|missed| missed.flow == flow.id().as_str());
        let marks = own.map(|missed| {
            let line = missed.line(&lines);
            format!("::warning file={path},line={line},title=No test comes here::{missed}\n")
        });
        marks.collect()
    }

    fn missed_parts(&self, flow: &Flow) -> MissedParts {
        let mut parts = MissedParts::default();
        for missed in self.missed().into_iter().filter(|missed| missed.flow == flow.id().as_str()) {
            let Ok(node) = NodeId::new(&missed.node) else { continue };
            match missed.branch {
                Some(branch) => parts.1.push((node, branch)),
                None => _ = parts.0.insert(node),
            }
        }
        parts
    }

    /// Returns the flow as a Mermaid flowchart, with what was missed marked.
    #[must_use]
    pub fn mermaid(&self, flow: &Flow) -> String {
        let (nodes, ways) = self.missed_parts(flow);
        Diagram::of(flow).missed(nodes, ways).mermaid()
    }

    /// Returns the flow as an SVG, with what was missed marked.
    #[must_use]
    pub fn svg(&self, flow: &Flow) -> String {
        let (nodes, ways) = self.missed_parts(flow);
        Diagram::of(flow).missed(nodes, ways).svg()
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
