//! The order of the functions in a compiled module. Functions that were made from one generic are
//! alike; side by side they are compressed to a fraction. Nothing else of the module changes.

use std::collections::HashMap;
use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{CodeSectionReader, FunctionSectionReader, KnownCustom, Name, Parser, Payload, TypeRef};

/// The module with its functions by their names, and without any section of names.
pub(crate) fn by_names(module: &[u8]) -> Result<Vec<u8>, Error<Infallible>> {
    let mut order = Order::of(module)?;
    let mut ordered = Module::new();
    order.parse_core_module(&mut ordered, Parser::new(0), module)?;
    Ok(ordered.finish())
}

struct Order {
    imported: u32,
    /// The functions of the module in their new order, by their old places.
    places: Vec<usize>,
    /// The new number of each.
    numbers: Vec<u32>,
}

impl Order {
    fn of(module: &[u8]) -> Result<Self, Error<Infallible>> {
        let (mut imported, mut sizes, mut names) = (0, Vec::new(), HashMap::new());
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        imported += u32::from(matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                    }
                }
                Payload::CodeSectionEntry(body) => sizes.push(body.range().len()),
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(parts) = section.as_known() {
                        names = function_names(parts)?;
                    }
                }
                _ => {}
            }
        }
        let name = |place: usize| {
            let number = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(imported);
            names.get(&number).copied().unwrap_or_default()
        };
        let mut places: Vec<usize> = (0..sizes.len()).collect();
        places.sort_by_key(|place| (without_hash(name(*place)), sizes[*place]));
        let mut numbers = vec![0; places.len()];
        for (number, place) in (imported..).zip(&places) {
            numbers[*place] = number;
        }
        Ok(Self { imported, places, numbers })
    }
}

fn function_names<'a>(parts: wasmparser::NameSectionReader<'a>) -> wasmparser::Result<HashMap<u32, &'a str>> {
    let mut names = HashMap::new();
    for part in parts {
        if let Name::Function(functions) = part? {
            for naming in functions {
                let naming = naming?;
                names.insert(naming.index, naming.name);
            }
        }
    }
    Ok(names)
}

/// A name without what tells one function of a generic from the next.
fn without_hash(name: &str) -> &str {
    let (before, hash) = name.rsplit_once("::h").unwrap_or((name, ""));
    if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) { before } else { name }
}

impl Reencode for Order {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        Ok(match function.checked_sub(self.imported) {
            Some(place) => self.numbers[place as usize],
            None => function,
        })
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let types = section.into_iter().collect::<Result<Vec<u32>, _>>()?;
        for place in &self.places {
            functions.function(types[*place]);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for place in self.places.clone() {
            self.parse_function_body(code, bodies[place].clone())?;
        }
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        _module: &mut Module,
        _section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        Ok(())
    }
}
