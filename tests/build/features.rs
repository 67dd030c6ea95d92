//! Builds without the features that are on by default: such a build refuses flows that need them,
//! each at the field that does, and leaves alone what such a flow's sessions have stored.

use chatflow::Flow;
use serde_json::{Value, json};

/// A flow with one node and an end behind each of its branches.
fn one(mut node: Value, branches: [&str; 2]) -> String {
    node["id"] = json!("n");
    let edge = |branch: &str| json!({"from": "n", "branch": branch, "to": "e"});
    let edges = [json!({"from": "s", "to": "n"}), edge(branches[0]), edge(branches[1])];
    json!({
        "spec": 1, "code": "f", "trigger": {"kind": "manual"}, "edges": edges,
        "nodes": [{"id": "s", "kind": "start"}, node, {"id": "e", "kind": "end"}],
    })
    .to_string()
}

/// The issues of a flow, each with its place in the file and how to fix it.
fn told(flow: &str) -> Vec<String> {
    let issues = Flow::from_json(flow).map_or_else(|issues| issues, |flow| flow.warnings().clone());
    issues.iter().map(|issue| format!("{} {issue:#}", issue.path)).collect()
}

fn hours(timezone: &str) -> String {
    let node = json!({"kind": "open_hours", "timezone": timezone, "hours": {"mon": ["09:00-18:00"]}});
    one(node, ["open", "closed"])
}

fn finding(kind: &str, fields: Value) -> String {
    let mut node = fields;
    node["kind"] = json!(kind);
    one(node, ["found", "not_found"])
}

#[cfg(any(feature = "phone-numbers", feature = "time-zones"))]
const NOTHING: [String; 0] = [];

#[cfg(not(feature = "time-zones"))]
#[test]
fn a_zone_of_the_data_base_is_refused_at_its_field() {
    let expected = [concat!(
        r#"nodes[1].timezone node "n": timezone: the time zone "Europe/Berlin" needs the feature "#,
        "`time-zones`, which this build does not have (bad_value); ",
        "build chatflow with the feature `time-zones`",
    )];
    assert_eq!(told(&hours("Europe/Berlin")), expected);
    assert_eq!(told(&hours("Europe/Berlinn")).len(), 1);
}

#[cfg(feature = "time-zones")]
#[test]
fn a_zone_of_the_data_base_is_taken() {
    assert_eq!(told(&hours("Europe/Berlin")), NOTHING);
    assert_eq!(told(&hours("Europe/Berlinn")).len(), 1);
}

#[test]
fn fixed_zones_are_taken_by_every_build() {
    for zone in ["UTC", "Etc/UTC", "GMT", "Etc/GMT+5", "+05:30", "-03:00"] {
        assert_eq!(told(&hours(zone)), [""; 0], "{zone}");
    }
}

#[cfg(not(feature = "phone-numbers"))]
#[test]
fn a_search_for_telephone_numbers_is_refused_at_its_field() {
    let lacks = |path: &str, what: &str| {
        let field = path.trim_start_matches("nodes[1].");
        format!(
            "{path} node \"n\": {field}: {what} needs the feature `phone-numbers`, which this build does not \
             have (bad_value); build chatflow with the feature `phone-numbers`"
        )
    };
    let region = lacks("nodes[1].default_region", "the region \"DE\"");
    let node = lacks("nodes[1].kind", "`recognize_phone`");
    let told_of = |kind: &str, fields: Value| told(&finding(kind, fields)).join("\n");
    assert_eq!(told_of("recognize_phone", json!({})), node);
    let fields = json!({"default_region": "DE"});
    assert_eq!(told_of("recognize_phone", fields), format!("{region}\n{node}"));
    // A telephone number is no number, so what is a number depends on the search, too.
    let types = lacks("nodes[1].types", "telling telephone numbers from numbers");
    for fields in [json!({}), json!({"types": ["phone"]}), json!({"types": ["email", "number"]})] {
        assert_eq!(told_of("recognize_entities", fields), types);
    }
    let fields = json!({"types": ["email"], "default_region": "DE"});
    assert_eq!(told_of("recognize_entities", fields), region);
}

#[cfg(feature = "phone-numbers")]
#[test]
fn a_search_for_telephone_numbers_is_taken() {
    for fields in [json!({}), json!({"default_region": "DE"})] {
        assert_eq!(told(&finding("recognize_phone", fields.clone())), NOTHING);
        assert_eq!(told(&finding("recognize_entities", fields)), NOTHING);
    }
}

#[test]
fn other_searches_and_questions_for_a_number_are_taken_by_every_build() {
    let fields = json!({"types": ["email", "url", "date"]});
    assert_eq!(told(&finding("recognize_entities", fields)), [""; 0]);
    let ask = json!({
        "spec": 1, "code": "f", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "sms", "account": "+15550100"}},
        "nodes": [{"id": "s", "kind": "start"}, {"id": "n", "kind": "ask", "text": "?", "expect": "phone"}],
        "edges": [{"from": "s", "to": "n"}],
    });
    assert_eq!(told(&ask.to_string()), [""; 0]);
}

#[test]
fn addresses_of_contacts_are_read_the_same_by_every_build() {
    let written = chatflow::address::Phone::parse("+1 (415) 555-0123").unwrap();
    assert_eq!(written, chatflow::address::Phone::parse_inbound("14155550123").unwrap());
    assert_eq!(written.to_string(), "+14155550123");
}

#[cfg(not(all(feature = "phone-numbers", feature = "time-zones")))]
mod stored {
    use std::sync::Arc;

    use chatflow::error::MissingReason;
    use chatflow::id::FlowVersion;
    use chatflow::ops::SessionFilter;
    use chatflow::store::{Catalogue, CatalogueChanges, FlowChange, FlowSaved, FlowStore, MemoryFlows};
    use chatflow::testkit::{ManualClock, Recorder};
    use chatflow::{
        Channel, Engine, Error, FlowId, Inbound, MemoryStore, StoreError, TriggerRequest, WorkspaceId,
    };
    use chrono::TimeDelta;
    use pollster::block_on;

    use super::*;

    /// The flows of others, each with the definition of a flow that needs a feature.
    struct Needing(Arc<MemoryFlows>, String);

    impl FlowStore for Needing {
        async fn revision(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
            self.0.revision(workspace).await
        }

        async fn catalogue(&self, workspace: &WorkspaceId) -> Result<Catalogue, StoreError> {
            self.0.catalogue(workspace).await
        }

        async fn definition(
            &self,
            _workspace: &WorkspaceId,
            _flow: &FlowId,
            _version: Option<FlowVersion>,
        ) -> Result<Option<Arc<str>>, StoreError> {
            Ok(Some(self.1.as_str().into()))
        }

        async fn save(&self, workspace: &WorkspaceId, change: FlowChange) -> Result<FlowSaved, StoreError> {
            self.0.save(workspace, change).await
        }

        async fn changes(&self, workspace: &WorkspaceId, since: u64) -> Result<CatalogueChanges, StoreError> {
            self.0.changes(workspace, since).await
        }
    }

    /// S14: sessions of a version that needs a feature wait for a process that has it.
    #[test]
    fn a_version_that_needs_a_feature_is_not_readable_here_and_its_sessions_are_left_untouched() {
        let plain = json!({
            "spec": 1, "code": "f", "trigger": {"kind": "manual"},
            "settings": {"sender": {"channel": "sms", "account": "+15550100"}},
            "nodes": [{"id": "s", "kind": "start"}, {"id": "w", "kind": "wait_reply", "timeout": "10m"}],
            "edges": [{"from": "s", "to": "w"}],
        });
        let needing = if cfg!(feature = "time-zones") {
            (finding("recognize_phone", json!({})), "phone-numbers")
        } else {
            (hours("Europe/Berlin"), "time-zones")
        };
        let (store, flows) = (Arc::new(MemoryStore::new()), Arc::new(MemoryFlows::default()));
        let (clock, channel) = (ManualClock::default(), Recorder::new());
        let process = || Engine::builder(Arc::clone(&store)).clock(clock.clone()).transport(channel.clone());
        let fuller = process().flow_store(Arc::clone(&flows)).build();
        let lacking = process().flow_store(Needing(flows, needing.0)).build();
        block_on(fuller.flows().ensure(&plain.to_string())).unwrap();
        let ada = || TriggerRequest::new("f").phone("+14155550123");
        let session = block_on(fuller.trigger(ada())).unwrap().session().unwrap().session_id;
        let before = block_on(fuller.session(session)).unwrap().unwrap().session().clone();
        let said = Inbound::text(Channel::Sms, "+15550100", "+14155550123", "yes");
        let refused = [
            block_on(lacking.receive(said)).unwrap_err(),
            block_on(lacking.trigger(ada().phone("+14155550124"))).unwrap_err(),
        ];
        for error in refused {
            let Error::VersionMissing { reason: MissingReason::NotReadable(why), .. } = &error else {
                panic!("{error}")
            };
            assert!(why.contains(&format!("needs the feature `{}`", needing.1)), "{why}");
            assert_eq!((error.http_status(), error.is_retryable()), (503, true));
        }
        clock.advance(TimeDelta::minutes(20));
        let _ = block_on(lacking.tick(10)).unwrap();
        let after = block_on(lacking.session(session)).unwrap().unwrap();
        assert_eq!(*after.session(), before, "it is untouched");
        assert_eq!(block_on(lacking.stranded(SessionFilter::all())).unwrap().len(), 1);
    }
}
