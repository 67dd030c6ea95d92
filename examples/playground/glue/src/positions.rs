//! The positions of panics in a compiled module: each is the name of a file, a line and a column. A
//! page shows them to nobody, and lines and columns hardly compress. They become 0; files stay.

use std::ops::Range;

use wasmparser::{DataKind, Operator, Parser, Payload};

/// Longest name of a file.
const LONGEST_NAME: usize = 300;
/// Lines and columns of a source file.
const LINES: Range<u32> = 1..100_000;

/// Data of the module, and where it is in memory.
struct Segment {
    address: usize,
    place: Range<usize>,
}

/// The module without lines and columns of panics.
pub(crate) fn without(module: &[u8]) -> wasmparser::Result<Vec<u8>> {
    let segments = segments(module)?;
    let mut bare = module.to_vec();
    for segment in &segments {
        // In memory a position begins at a multiple of 4.
        let first = segment.place.start + segment.address.next_multiple_of(4) - segment.address;
        for at in (first..segment.place.end.saturating_sub(15)).step_by(4) {
            if is_position(module, &segments, at) {
                bare[at + 8..at + 16].fill(0);
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

/// True for the address and the length of a file's name, with a line and a column behind them.
fn is_position(module: &[u8], segments: &[Segment], at: usize) -> bool {
    let [address, length, line, column] = [0, 4, 8, 12].map(|behind| word(module, at + behind));
    let length = length as usize;
    if !LINES.contains(&line) || !LINES.contains(&column) || !(4..LONGEST_NAME).contains(&length) {
        return false;
    }
    let name = segments.iter().find_map(|segment| {
        let start = segment.place.start + (address as usize).checked_sub(segment.address)?;
        module.get(start..start + length).filter(|_| start + length <= segment.place.end)
    });
    name.is_some_and(|name| name.ends_with(b".rs") && name.iter().all(u8::is_ascii_graphic))
}

fn word(module: &[u8], at: usize) -> u32 {
    let bytes = module.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u32::from_le_bytes)
}
