use std::fmt;

/// Where in a plan, e.g. `duties[2].owner`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::campaigns) struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::campaigns) enum Step {
    Field(String),
    Index(usize),
}

impl Path {
    pub fn of(field: &str) -> Self {
        Self::default().field(field)
    }

    pub fn field(&self, key: &str) -> Self {
        self.with(Step::Field(key.to_owned()))
    }

    pub fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(key) if position == 0 => write!(formatter, "{key}")?,
                Step::Field(key) => write!(formatter, ".{key}")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}
