//! Reading a plan file: syntax, then form (against the schema), then meaning. Every fault of a step is named at once, with
//! its line, column and field.

mod form;
mod source;

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use self::source::Source;
use super::{checking, plan::Plan};

pub(in crate::campaigns) use form::nearest;

/// One thing wrong in a plan file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlanFault {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Where in the plan, e.g. `duties[2].owner`; empty for the file itself.
    pub field: String,
    /// What is wrong, in Chinese.
    pub sentence: String,
}

impl fmt::Display for PlanFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "第{}行第{}列", self.line, self.column)?;
        if !self.field.is_empty() {
            write!(formatter, " {}", self.field)?;
        }
        write!(formatter, "：{}", self.sentence)
    }
}

/// Reads and checks a plan file.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn read(text: &str) -> Result<Plan, Vec<PlanFault>> {
    let source = Source::new(text);
    let root = source.parse()?;
    let faults = form::check(&root, schema().as_value());
    if !faults.is_empty() {
        return Err(source.locate(faults));
    }
    let plan: Plan = serde_json::from_value(root.to_json()).map_err(|error| {
        // The schema lets through nothing that the types refuse; should it ever, say so instead of guessing a place.
        source.locate(vec![form::Fault { span: root.span.clone(), field: String::new(), sentence: error.to_string() }])
    })?;
    let faults: Vec<form::Fault> = checking::check(&plan)
        .into_iter()
        .map(|mistake| form::Fault {
            span: root.nearest_span(&mistake.path),
            field: mistake.path.to_string(),
            sentence: mistake.sentence,
        })
        .collect();
    if faults.is_empty() { Ok(plan) } else { Err(source.locate(faults)) }
}

/// The format of plan files, for editors and for [`read`] itself.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Plan)
}

#[cfg(test)]
mod tests;
