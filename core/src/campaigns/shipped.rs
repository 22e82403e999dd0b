/// A plan file that ships with the product.
#[derive(Clone, Copy, Debug)]
pub struct ShippedPlan {
    /// Name of the file in `plans/`.
    pub file: &'static str,
    pub text: &'static str,
}

macro_rules! shipped {
    ($($file:literal),+ $(,)?) => {
        [$(ShippedPlan { file: $file, text: include_str!(concat!("../../../plans/", $file)) }),+]
    };
}

/// The plans of five real townships and counties.
pub const SHIPPED_PLANS: [ShippedPlan; 5] = shipped!(
    "A-jizhuoyangqing-2022.toml",
    "B-zuofeng-zhengdun-2022.toml",
    "C-ruanruo-huansan-2018-2019.toml",
    "D-lianjie-cunju-2022-2025.toml",
    "E-xuncha-zhenggai-2024.toml",
);
