use std::collections::HashSet;

use qingfeng_core::ids::OrganizationId;

/// Where a job runs.
pub(super) enum Places {
    /// In one township, at the times of its campaign.
    Township(OrganizationId),
    /// In the whole county at the usual time, but not where a campaign has its own.
    CountyBut(HashSet<OrganizationId>),
}

impl Places {
    pub(super) fn include(&self, township: Option<OrganizationId>) -> bool {
        match (self, township) {
            (Self::Township(here), township) => township == Some(*here),
            (Self::CountyBut(others), Some(township)) => !others.contains(&township),
            (Self::CountyBut(_), None) => true,
        }
    }

    /// The one township, if it is one.
    pub(super) fn single(&self) -> Option<OrganizationId> {
        match self {
            Self::Township(here) => Some(*here),
            Self::CountyBut(_) => None,
        }
    }
}
