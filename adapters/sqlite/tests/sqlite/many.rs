//! Many flows in a file (SEMANTICS L10).

use chatflow_sqlite::SqliteStore;
use pollster::block_on;

use crate::folder::Folder;
use crate::many_kit;

/// Each in a file of its own.
async fn open(folder: &Folder) -> SqliteStore {
    let number = std::fs::read_dir(folder.path()).unwrap().count();
    SqliteStore::open(folder.path().join(format!("{number}.db"))).unwrap()
}

#[test]
fn flows_that_are_ensured_one_by_one_cost_what_each_does() {
    let folder = Folder::new();
    block_on(many_kit::one_by_one_costs_what_each_does(async || open(&folder).await));
}

#[test]
fn all_at_once_cost_one_read_and_one_save() {
    let folder = Folder::new();
    block_on(many_kit::all_at_once_cost_one_read_and_one_save(async || open(&folder).await));
}

#[test]
fn a_publish_elsewhere_carries_one_flow() {
    let folder = Folder::new();
    block_on(many_kit::a_publish_elsewhere_carries_one_flow(async || open(&folder).await));
}

#[test]
fn starts_at_the_same_time_publish_once() {
    let folder = Folder::new();
    block_on(many_kit::starts_at_the_same_time_publish_once(async || open(&folder).await));
}

#[test]
fn the_next_call_elsewhere_reads_what_changed() {
    let folder = Folder::new();
    let open = async || SqliteStore::open(folder.file()).unwrap();
    block_on(many_kit::the_next_call_elsewhere_reads_what_changed(open));
}

/// The processor time that this process has used, in hundredths of a second.
#[cfg(target_os = "linux")]
fn processor_time() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = stat.rsplit_once(')').unwrap().1;
    behind_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

/// SEMANTICS L10: publishing four times as many flows takes about four times the processor time: at
/// most eight times here, where reading all of them at each takes more than thirteen. Each number
/// is done by a process of its own, in which no other test works.
#[cfg(target_os = "linux")]
#[test]
fn a_thousand_flows_cost_four_times_as_much_as_250() {
    const COUNT: &str = "CHATFLOW_PUBLISHED";
    const NAME: &str = "many::a_thousand_flows_cost_four_times_as_much_as_250";
    if let Ok(count) = std::env::var(COUNT) {
        let folder = Folder::new();
        let bot = chatflow::Engine::builder(SqliteStore::open(folder.file()).unwrap()).build();
        let before = processor_time();
        for json in many_kit::library(count.parse().unwrap(), "Hi") {
            block_on(bot.flows().ensure(&json)).unwrap();
        }
        println!("took {} ticks", processor_time() - before);
        return;
    }
    let ticks = |count: u32| -> u64 {
        let own = std::env::current_exe().unwrap();
        let mut child = std::process::Command::new(own);
        let done =
            child.args(["--exact", NAME, "--nocapture"]).env(COUNT, count.to_string()).output().unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        let took = said.lines().find_map(|line| line.split_once("took ")?.1.strip_suffix(" ticks"));
        took.unwrap_or_else(|| panic!("{said}")).parse().unwrap()
    };
    let (few, many) = (ticks(250), ticks(1_000));
    assert!(few > 0 && many <= 8 * few, "{few} and {many} hundredths of a second");
}
