use chrono::{Datelike, Months, NaiveDate};

use super::{Plan, Rhythm};

impl Plan {
    /// The same plan for another year: every date moves by whole years, so that a township can take over what another
    /// one did.
    #[must_use]
    pub fn moved_to_year(mut self, year: i32) -> Self {
        let years = year - self.starts_on.year();
        let months = Months::new(years.unsigned_abs() * 12);
        for date in self.dates_mut() {
            let moved = if years < 0 { date.checked_sub_months(months) } else { date.checked_add_months(months) };
            *date = moved.unwrap_or(*date);
        }
        self
    }

    /// Every date of the plan.
    fn dates_mut(&mut self) -> Vec<&mut NaiveDate> {
        let mut dates = vec![&mut self.starts_on, &mut self.ends_on];
        for phase in &mut self.phases {
            dates.extend([&mut phase.starts_on, &mut phase.ends_on]);
            dates.extend(phase.deliverables.iter_mut().filter_map(|deliverable| deliverable.due_on.as_mut()));
        }
        for duty in &mut self.duties {
            dates.extend(duty.from.as_mut());
            dates.extend(duty.until.as_mut());
            dates.extend(date_of(&mut duty.rhythm));
        }
        dates.extend(self.evaluations.iter_mut().filter_map(|evaluation| date_of(&mut evaluation.rhythm)));
        dates.extend(self.lists.iter_mut().filter_map(|list| list.due_on.as_mut()));
        dates.extend(self.targets.iter_mut().filter_map(|target| target.due_on.as_mut()));
        dates
    }
}

fn date_of(rhythm: &mut Rhythm) -> Option<&mut NaiveDate> {
    match rhythm {
        Rhythm::Once { due_on, .. } => Some(due_on),
        _ => None,
    }
}
