//! The positions of panics in a compiled module: each is the name of a file, a line and a column. A
//! page shows them to nobody, and addresses, lines and columns hardly compress. All become the same
//! position, of no name, and the names are blank.

use std::ops::Range;

use wasmparser::{DataKind, Operator, Parser, Payload};

/// Longest name of a file.
const LONGEST_NAME: usize = 300;
/// Lines and columns of a source file.
const LINES: Range<u32> = 1..100_000;

/// The address of a name of no characters: any address but 0.
const NO_NAME: u32 = 4;

/// Data of the module, and where it is in memory.
struct Segment {
    address: usize,
    place: Range<usize>,
}

/// The module without positions of panics.
pub(crate) fn without(module: &[u8]) -> wasmparser::Result<Vec<u8>> {
    let segments = segments(module)?;
    let mut bare = module.to_vec();
    for segment in &segments {
        // In memory a position begins at a multiple of 4.
        let first = segment.place.start + segment.address.next_multiple_of(4) - segment.address;
        for at in (first..segment.place.end.saturating_sub(15)).step_by(4) {
            if let Some(name) = name_of_position(module, &segments, at) {
                bare[name].fill(b' ');
                bare[at..at + 4].copy_from_slice(&NO_NAME.to_le_bytes());
                bare[at + 4..at + 16].fill(0);
            }
        }
    }
    Ok(bare)
}

fn segments(module: &[u8]) -> wasmparser::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::DataSection(section) = payload? else { continue };
        for data in section {
            let data = data?;
            let DataKind::Active { offset_expr, .. } = data.kind else { continue };
            let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else { continue };
            let end = data.range.end;
            segments.push(Segment { address: value as u32 as usize, place: end - data.data.len()..end });
        }
    }
    Ok(segments)
}

/// The place in the module of a file's name, whose address and length are here, with a line and a
/// column behind them.
fn name_of_position(module: &[u8], segments: &[Segment], at: usize) -> Option<Range<usize>> {
    let [address, length, line, column] = [0, 4, 8, 12].map(|behind| word(module, at + behind));
    let length = length as usize;
    if !LINES.contains(&line) || !LINES.contains(&column) || !(4..LONGEST_NAME).contains(&length) {
        return None;
    }
    let place = segments.iter().find_map(|segment| {
        let start = segment.place.start + (address as usize).checked_sub(segment.address)?;
        Some(start..start + length).filter(|place| place.end <= segment.place.end)
    })?;
    let name = module.get(place.clone())?;
    (name.ends_with(b".rs") && name.iter().all(u8::is_ascii_graphic)).then_some(place)
}

fn word(module: &[u8], at: usize) -> u32 {
    let bytes = module.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u32::from_le_bytes)
}
