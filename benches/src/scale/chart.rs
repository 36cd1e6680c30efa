//! Draws a dimension as a picture: time, CPU and memory beside each other, with logarithmic axes.

use std::path::Path;

use plotters::prelude::*;

use super::{Dimension, Point};
use crate::Result;
use crate::target::Target;

const SIZE: (u32, u32) = (1080, 340);

/// A figure of a point, with its title.
type Figure = (&'static str, fn(&Point) -> f64);

pub fn draw(path: &Path, dimension: Dimension, lines: &[(Target, Vec<Point>)]) -> Result<()> {
    let figures: [Figure; 3] = [
        (dimension.time(), |point| point.time),
        ("CPU, us", |point| point.cpu.all),
        ("memory, MB", |point| point.memory),
    ];
    let page = SVGBackend::new(path, SIZE).into_drawing_area();
    page.fill(&WHITE)?;
    for (area, (title, figure)) in page.split_evenly((1, figures.len())).iter().zip(figures) {
        let all = || lines.iter().flat_map(|(_, points)| points);
        let values = range(all().map(|point| point.value));
        let mut chart = ChartBuilder::on(area)
            .caption(title, ("sans-serif", 16))
            .margin(12)
            .x_label_area_size(28)
            .y_label_area_size(56)
            .build_cartesian_2d(values.log_scale(), range(all().map(figure)).log_scale())?;
        chart.configure_mesh().x_labels(7).y_labels(6).draw()?;
        for (target, points) in lines {
            let color = if *target == Target::Ours { &BLUE } else { &RED };
            let line: Vec<(f64, f64)> = points.iter().map(|point| (point.value, figure(point))).collect();
            let name = if *target == Target::Ours { "ours" } else { "inproc" };
            chart
                .draw_series(LineSeries::new(line.clone(), color.stroke_width(2)).point_size(3))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .draw()?;
    }
    page.present()?;
    Ok(())
}

/// From a little below the least to a little above the most; a logarithm has no zero.
fn range(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (least, most) = values.fold((f64::MAX, f64::MIN), |(least, most), value| {
        let value = value.max(1e-3);
        (least.min(value), most.max(value))
    });
    least * 0.8..most * 1.25
}
