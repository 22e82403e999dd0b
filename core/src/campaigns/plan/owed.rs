use super::{Deliverable, Duty, Evaluation, Evidence, EvidenceKind, OnRestDay, Phase, Plan, RequiredList, Rhythm};

impl Plan {
    /// Everything that falls due in the campaign: its duties, and what lists, evaluations and phases ask for. Derived
    /// ones have a colon in their key, which no key of a file has.
    #[must_use]
    pub fn owed(&self) -> Vec<Duty> {
        let mut owed = self.duties.clone();
        owed.extend(self.lists.iter().filter_map(RequiredList::as_duty));
        owed.extend(self.evaluations.iter().map(|evaluation| evaluation.as_duty(&self.leading_group.run_by)));
        for phase in &self.phases {
            let deliverables = phase.deliverables.iter().enumerate();
            owed.extend(deliverables.map(|(number, item)| item.as_duty(number, phase, &self.leading_group.run_by)));
        }
        owed
    }

    /// What is owed under this key.
    #[must_use]
    pub fn owed_as(&self, key: &str) -> Option<Duty> {
        self.owed().into_iter().find(|duty| duty.key == key)
    }
}

fn once(key: String, label: String, owner: &str, due_on: chrono::NaiveDate, evidence: Evidence) -> Duty {
    Duty {
        key,
        label,
        owner: owner.to_owned(),
        with: Vec::new(),
        rhythm: Rhythm::Once { due_on, on_rest_day: OnRestDay::Before },
        evidence: vec![evidence],
        from: None,
        until: None,
        details: Vec::new(),
    }
}

impl RequiredList {
    /// None where the plan sets no date: the list is kept all the time.
    fn as_duty(&self) -> Option<Duty> {
        let evidence = Evidence { label: self.label.clone(), kind: EvidenceKind::File };
        let duty = once(format!("list:{}", self.key), self.label.clone(), &self.owner, self.due_on?, evidence);
        let columns = (!self.columns.is_empty()).then(|| format!("内容：{}", self.columns.join("、")));
        let goes_to = self.goes_to.as_ref().map(|place| format!("报送或公示：{place}"));
        Some(Duty { details: columns.into_iter().chain(goes_to).collect(), ..duty })
    }
}

impl Evaluation {
    fn as_duty(&self, owner: &str) -> Duty {
        Duty {
            key: format!("evaluation:{}", self.key),
            label: format!("组织{}", self.label),
            owner: owner.to_owned(),
            with: Vec::new(),
            rhythm: self.rhythm.clone(),
            evidence: vec![Evidence { label: "参评人数".into(), kind: EvidenceKind::Figure }],
            from: None,
            until: None,
            details: self.ways.clone(),
        }
    }
}

impl Deliverable {
    fn as_duty(&self, number: usize, phase: &Phase, owner: &str) -> Duty {
        let evidence = Evidence { label: "完成情况".into(), kind: EvidenceKind::Text };
        let label = format!("{}阶段成果：{}", phase.label, self.label);
        once(
            format!("phase:{}:{}", phase.key, number + 1),
            label,
            owner,
            self.due_on.unwrap_or(phase.ends_on),
            evidence,
        )
    }
}
