//! The faults of a simulation, as a table that a host can weigh.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Something that goes wrong, or gets in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SimFault {
    /// The store does nothing, and says so.
    StoreRefuses,
    /// The store does nothing, and it is not known.
    StoreLost,
    /// The store does what it is asked, and its answer is lost.
    StoreLosesAnswer,
    /// The channel does not take a message, for now.
    ChannelRetry,
    /// The channel takes a message, and its answer is lost.
    ChannelLosesAnswer,
    /// The channel refuses a message for good.
    ChannelRejects,
    /// The channel takes its time.
    ChannelSlow,
    /// The channel never answers.
    ChannelHangs,
    /// The channel panics, before or after it has taken a message.
    ChannelPanics,
    /// The host does not answer a call, for now.
    CallRetry,
    /// The call fails.
    CallFails,
    /// The host answers later.
    CallLater,
    /// The host takes its time.
    CallSlow,
    /// The host never answers.
    CallHangs,
    /// The host panics.
    CallPanics,
    /// Somebody writes many messages at once, some of which come twice.
    Burst,
    /// A process is built with limits below what a flow needs.
    SmallLimits,
    /// A process keeps its flows itself, and one of them with another text under the same number.
    EditedFlows,
    /// The channel reports late that a message arrived, or that it did not.
    ReportLate,
    /// A process dies with all it was at, and another takes its place.
    Crash,
    /// One call is dropped.
    DropFuture,
    /// Time passes while calls are under way, so that leases end.
    LeaseLoss,
    /// Time leaps ahead.
    ClockJump,
    /// Time goes back.
    ClockBack,
    /// The clock of one process goes wrong by up to two seconds.
    ClockDrift,
    /// A flow is published in another version.
    Publish,
    /// A flow goes back to an earlier version.
    RollBack,
    /// A flow is taken offline, and published again later.
    Unpublish,
    /// A session is taken to another version.
    Migrate,
    /// A contact is erased.
    Erase,
    /// A session is handed to a person, or given back.
    Handoff,
    /// A session is cancelled.
    Cancel,
    /// A person is written to, or writes, by a second address, and a message names both.
    SecondAddress,
    /// The channel names, with its receipt, the second address of a person.
    ReceiptNames,
    /// One contact is merged into another.
    Merge,
    /// The number of a person changes.
    Relink,
    /// An address of a person is somebody else's from now on.
    Unlink,
}

impl SimFault {
    /// Each of them.
    pub const ALL: [Self; 37] = [
        Self::StoreRefuses,
        Self::StoreLost,
        Self::StoreLosesAnswer,
        Self::ChannelRetry,
        Self::ChannelLosesAnswer,
        Self::ChannelRejects,
        Self::ChannelSlow,
        Self::ChannelHangs,
        Self::ChannelPanics,
        Self::CallRetry,
        Self::CallFails,
        Self::CallLater,
        Self::CallSlow,
        Self::CallHangs,
        Self::CallPanics,
        Self::Burst,
        Self::SmallLimits,
        Self::EditedFlows,
        Self::ReportLate,
        Self::Crash,
        Self::DropFuture,
        Self::LeaseLoss,
        Self::ClockJump,
        Self::ClockBack,
        Self::ClockDrift,
        Self::Publish,
        Self::RollBack,
        Self::Unpublish,
        Self::Migrate,
        Self::Erase,
        Self::Handoff,
        Self::Cancel,
        Self::SecondAddress,
        Self::ReceiptNames,
        Self::Merge,
        Self::Relink,
        Self::Unlink,
    ];

    /// Returns its name: `store_loses_answer`.
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        for c in format!("{self:?}").chars() {
            if c.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
        }
        name
    }

    /// Its default weight: how often it happens, of a thousand times that it could.
    fn usual(self) -> u32 {
        match self {
            Self::StoreRefuses | Self::StoreLost | Self::StoreLosesAnswer => 25,
            Self::ChannelRetry | Self::ChannelLosesAnswer => 100,
            Self::CallLater => 250,
            Self::ChannelRejects | Self::ChannelSlow | Self::CallRetry | Self::CallFails => 60,
            Self::CallSlow | Self::EditedFlows => 60,
            Self::ChannelHangs | Self::CallHangs => 10,
            Self::Crash | Self::DropFuture => 200,
            Self::SecondAddress => 150,
            Self::Migrate | Self::Handoff | Self::SmallLimits => 100,
            Self::LeaseLoss | Self::ReportLate | Self::Publish | Self::RollBack | Self::Unpublish => 60,
            Self::Erase | Self::Cancel => 60,
            Self::Merge | Self::Relink | Self::Unlink | Self::Burst => 30,
            Self::ChannelPanics | Self::CallPanics => 20,
            Self::ClockJump | Self::ClockBack | Self::ClockDrift | Self::ReceiptNames => 20,
        }
    }
}

/// The weight of each fault: how often it happens, of a thousand times that it could.
///
/// ```
/// use chatflow::testkit::{SimFault, SimFaults};
///
/// let faults = SimFaults::none().weigh(SimFault::Crash, 50);
/// assert_eq!(faults.to_string(), "crash=50");
/// assert_eq!("crash=50".parse(), Ok(faults));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SimFaults(BTreeMap<SimFault, u32>);

impl Default for SimFaults {
    /// All of them, now and then.
    fn default() -> Self {
        Self(SimFault::ALL.iter().map(|fault| (*fault, fault.usual())).collect())
    }
}

impl SimFaults {
    /// Calm weather.
    pub fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Sets how often a fault happens, in a thousand chances; 0: never.
    pub fn weigh(mut self, fault: SimFault, of_thousand: u32) -> Self {
        match of_thousand {
            0 => _ = self.0.remove(&fault),
            weight => _ = self.0.insert(fault, weight.min(1_000)),
        }
        self
    }

    /// Returns its weight, of a thousand.
    #[must_use]
    pub fn weight(&self, fault: SimFault) -> u32 {
        self.0.get(&fault).copied().unwrap_or_default()
    }

    /// Returns those that may happen.
    pub fn kinds(&self) -> impl Iterator<Item = SimFault> + '_ {
        self.0.keys().copied()
    }
}

impl fmt::Display for SimFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        let all: Vec<String> =
            self.0.iter().map(|(fault, weight)| format!("{}={weight}", fault.name())).collect();
        f.write_str(&all.join(","))
    }
}

impl FromStr for SimFaults {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut faults = Self::none();
        for part in text.split(',').filter(|part| !part.is_empty() && *part != "none") {
            let (name, weight) =
                part.split_once('=').ok_or_else(|| format!("`{part}` is not NAME=WEIGHT"))?;
            let fault = SimFault::ALL.into_iter().find(|fault| fault.name() == name);
            let fault = fault.ok_or_else(|| format!("there is no fault `{name}`"))?;
            let weight = weight.parse().map_err(|_| format!("`{weight}` is no number"))?;
            faults = faults.weigh(fault, weight);
        }
        Ok(faults)
    }
}
