use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, codecs::jpeg::JpegEncoder, imageops::FilterType,
};

use crate::refusal::{Refusal, RefusalKind};

/// What is accepted.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub bytes: usize,
    /// Width times height. Checked in the header, before anything is decoded.
    pub pixels: u64,
}

impl Default for Limits {
    /// The largest photos that today's phones take by default: 50 megapixels, about 15 MB.
    fn default() -> Self {
        Self { bytes: 15 * 1024 * 1024, pixels: 50_000_000 }
    }
}

/// Longest edge in lists, in pixels: two columns on a phone of double density.
const LIST_EDGE: u32 = 360;
/// Longest edge on a page: a phone held sideways.
const VIEW_EDGE: u32 = 1280;
/// Longest edge for posters: A5 at 300 dots per inch.
const PRINT_EDGE: u32 = 2560;
const JPEG_QUALITY: u8 = 82;
/// Small pictures are looked at closely less often.
const LIST_QUALITY: u8 = 70;

/// Why a photo is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoRefusal {
    #[error("more bytes than allowed")]
    TooManyBytes,
    #[error("more pixels than allowed")]
    TooManyPixels,
    #[error("no JPEG, PNG or WebP")]
    UnsupportedType,
    #[error("the picture cannot be decoded")]
    Broken,
}

impl From<PhotoRefusal> for Refusal {
    fn from(refusal: PhotoRefusal) -> Self {
        use RefusalKind as K;
        let (kind, code, sentence) = match refusal {
            PhotoRefusal::TooManyBytes => (K::TooLarge, "image_too_large", "照片太大，请选小于15兆的照片。"),
            PhotoRefusal::TooManyPixels => {
                (K::TooLarge, "image_too_many_pixels", "照片尺寸太大，请用手机相机直接拍摄。")
            }
            PhotoRefusal::UnsupportedType => (
                K::UnsupportedType,
                "image_type_unsupported",
                "只能上传JPG、PNG或WebP照片。苹果手机请在“设置-相机-格式”里选“兼容性最佳”。",
            ),
            PhotoRefusal::Broken => (K::BadInput, "image_broken", "这张照片打不开，可能没有传完整，请重新选择。"),
        };
        Self::new(kind, code, sentence)
    }
}

/// One size, as JPEG without any metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    pub jpeg: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

/// The three sizes of a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renditions {
    pub list: Rendition,
    pub view: Rendition,
    pub print: Rendition,
}

/// Decodes within limits, turns the picture upright and makes the three sizes. What leaves is encoded anew: place,
/// device and time of the original are gone.
///
/// # Errors
/// [`PhotoRefusal`]. Never panics, whatever the bytes.
pub fn process(bytes: &[u8], limits: Limits) -> Result<Renditions, PhotoRefusal> {
    if bytes.len() > limits.bytes {
        return Err(PhotoRefusal::TooManyBytes);
    }
    let picture = decode(bytes, limits)?;
    // Each size from the one before: the large one is walked through once.
    let print = shrink(&picture, PRINT_EDGE);
    let view = shrink(&print, VIEW_EDGE);
    let list = shrink(&view, LIST_EDGE);
    Ok(Renditions {
        list: encode(&list, LIST_QUALITY)?,
        view: encode(&view, JPEG_QUALITY)?,
        print: encode(&print, JPEG_QUALITY)?,
    })
}

fn decode(bytes: &[u8], limits: Limits) -> Result<DynamicImage, PhotoRefusal> {
    let format = image::guess_format(bytes).map_err(|_| PhotoRefusal::UnsupportedType)?;
    if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP) {
        return Err(PhotoRefusal::UnsupportedType);
    }
    let mut decoder =
        ImageReader::with_format(Cursor::new(bytes), format).into_decoder().map_err(|_| PhotoRefusal::Broken)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits.pixels {
        return Err(PhotoRefusal::TooManyPixels);
    }
    let mut memory = image::Limits::default();
    memory.max_alloc = Some(limits.pixels * 8);
    decoder.set_limits(memory).map_err(|_| PhotoRefusal::TooManyPixels)?;
    // A photo whose orientation cannot be read is upright.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| PhotoRefusal::Broken)?;
    picture.apply_orientation(orientation);
    // JPEG has no transparency: what shines through is paper.
    Ok(if picture.color().has_alpha() { on_white(&picture) } else { DynamicImage::ImageRgb8(picture.into_rgb8()) })
}

fn on_white(picture: &DynamicImage) -> DynamicImage {
    let source = picture.to_rgba8();
    let flat = image::RgbImage::from_fn(source.width(), source.height(), |x, y| {
        let [red, green, blue, alpha] = source.get_pixel(x, y).0;
        let over = |channel: u8| {
            let mixed = u16::from(channel) * u16::from(alpha) + 255 * (255 - u16::from(alpha));
            u8::try_from(mixed / 255).unwrap_or(u8::MAX)
        };
        image::Rgb([over(red), over(green), over(blue)])
    });
    DynamicImage::ImageRgb8(flat)
}

fn shrink(picture: &DynamicImage, edge: u32) -> DynamicImage {
    if picture.width().max(picture.height()) <= edge {
        return picture.clone();
    }
    // Far smaller: average blocks, which is quick and as sharp; else a proper filter.
    if picture.width().max(picture.height()) >= 2 * edge {
        return picture.thumbnail(edge, edge);
    }
    picture.resize(edge, edge, FilterType::Triangle)
}

fn encode(picture: &DynamicImage, quality: u8) -> Result<Rendition, PhotoRefusal> {
    let mut jpeg = Vec::new();
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, quality)).map_err(|_| PhotoRefusal::Broken)?;
    Ok(Rendition { jpeg, width: picture.width(), height: picture.height() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn picture(width: u32, height: u32) -> DynamicImage {
        DynamicImage::ImageRgb8(image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([(x % 256) as u8, (y % 256) as u8, if x < width / 2 { 250 } else { 5 }])
        }))
    }

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        encode(&picture(width, height), 90).unwrap().jpeg
    }

    /// A JPEG as a phone held upright writes it: turned by its EXIF block, which also tells the place.
    fn phone_photo() -> Vec<u8> {
        let plain = jpeg(400, 300);
        let mut tiff: Vec<u8> = b"II*\0\x08\0\0\0".to_vec();
        let entry = |tag: u16, kind: u16, count: u32, value: u32| {
            [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
        };
        tiff.extend(2_u16.to_le_bytes());
        tiff.extend(entry(0x0112, 3, 1, 6));
        tiff.extend(entry(0x8825, 4, 1, 38));
        tiff.extend(0_u32.to_le_bytes());
        tiff.extend(1_u16.to_le_bytes());
        tiff.extend(entry(0x001b, 2, 4, u32::from_le_bytes(*b"GPSX")));
        tiff.extend(0_u32.to_le_bytes());
        let body = [b"Exif\0\0", &tiff[..]].concat();
        let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
        [&plain[..2], &[0xff, 0xe1], &length, &body, &plain[2..]].concat()
    }

    #[test]
    fn a_photo_is_turned_upright_and_tells_nothing_of_place_or_device() {
        let original = phone_photo();
        assert!(original.windows(4).any(|part| part == b"GPSX"));
        let made = process(&original, Limits::default()).unwrap();
        assert_eq!((made.view.width, made.view.height), (300, 400));
        for rendition in [&made.list, &made.view, &made.print] {
            assert!(!rendition.jpeg.windows(4).any(|part| part == b"Exif" || part == b"GPSX"));
        }
    }

    #[test]
    fn a_large_photo_comes_in_three_sizes() {
        let made = process(&jpeg(3000, 2000), Limits::default()).unwrap();
        let edges = [&made.list, &made.view, &made.print].map(|rendition| rendition.width);
        assert_eq!(edges, [360, 1280, 2560]);
    }

    #[test]
    fn a_picture_bomb_is_refused_before_it_is_decoded() {
        let limits = Limits { pixels: 1_000_000, ..Limits::default() };
        assert_eq!(process(&jpeg(1200, 900), limits), Err(PhotoRefusal::TooManyPixels));
        assert_eq!(process(&vec![0; 16 * 1024 * 1024], Limits::default()), Err(PhotoRefusal::TooManyBytes));
    }

    #[test]
    fn other_files_and_broken_photos_are_refused() {
        assert_eq!(process(b"%PDF-1.7", Limits::default()), Err(PhotoRefusal::UnsupportedType));
        assert_eq!(process(b"GIF89a", Limits::default()), Err(PhotoRefusal::UnsupportedType));
        assert_eq!(process(b"", Limits::default()), Err(PhotoRefusal::UnsupportedType));
        let mut cut = jpeg(300, 300);
        cut.truncate(40);
        assert_eq!(process(&cut, Limits::default()), Err(PhotoRefusal::Broken));
    }

    #[test]
    fn a_transparent_drawing_is_put_on_white() {
        let clear = image::RgbaImage::from_pixel(10, 10, image::Rgba([0, 0, 0, 0]));
        let mut png = Vec::new();
        DynamicImage::ImageRgba8(clear).write_to(&mut Cursor::new(&mut png), ImageFormat::Png).unwrap();
        let made = process(&png, Limits::default()).unwrap();
        let shown = image::load_from_memory(&made.view.jpeg).unwrap().into_rgb8();
        assert!(shown.pixels().all(|pixel| pixel.0.iter().all(|channel| *channel > 250)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_damage_to_a_photo_makes_the_product_fall_over(place in 0_usize..4000, value: u8, cut in 0_usize..4000) {
            let mut bytes = phone_photo();
            let length = bytes.len();
            bytes[place % length] = value;
            bytes.truncate(length - cut % length);
            let _ = process(&bytes, Limits { bytes: 1_000_000, pixels: 10_000_000 });
        }
    }
}
