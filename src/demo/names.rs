//! Names put together by chance.

use qingfeng_core::randomness::Randomness;

const SURNAMES: [&str; 20] = [
    "赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈", "褚", "卫", "蒋", "沈", "韩", "杨", "朱", "秦", "尤",
    "许",
];
const GIVEN: [&str; 24] = [
    "山", "河", "田", "禾", "青", "松", "石", "云", "晓", "文", "建", "春", "秋", "兰", "梅", "竹", "福", "贵", "安",
    "平", "明", "远", "清", "和",
];

pub(super) const VILLAGES: [&str; 12] = [
    "东河村",
    "西坡村",
    "南塘村",
    "北岭村",
    "石桥村",
    "柳湾村",
    "梨园村",
    "高坪村",
    "双井村",
    "青龙村",
    "白沙村",
    "长岗村",
];

pub(super) const DEPARTMENTS: [&str; 6] = ["民政办", "农业农村办", "村镇建设办", "财政所", "便民服务中心", "农经站"];

pub(super) fn name(randomness: &dyn Randomness) -> String {
    let pick = |list: &[&'static str]| list[randomness.below(u32::try_from(list.len()).unwrap_or(1)) as usize];
    let second = if randomness.below(3) == 0 { "" } else { pick(&GIVEN) };
    format!("{}{}{second}", pick(&SURNAMES), pick(&GIVEN))
}
