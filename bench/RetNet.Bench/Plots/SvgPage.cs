using System.Globalization;
using System.Text;
using System.Xml;

namespace RetNet.Bench.Plots;

/// <summary>
/// Charts, one below the other, as SVG. The values of x stand at equal distances, each under its number, since lengths and
/// batches grow by factors, and y begins at zero, unless a chart is to scale. Colours are Okabe and Ito's, which colour-blind people tell apart.
/// </summary>
public static class SvgPage
{
    private const double Width = 860;
    private const double Header = 64;
    private const double ChartHeight = 380;
    private const double Left = 86;
    private const double Right = 236;
    private const double Top = 44;
    private const double Bottom = 56;
    private const double PlotWidth = Width - Left - Right;
    private const double PlotHeight = ChartHeight - Top - Bottom;
    private const int MostMarks = 60;
    private const string Ink = "#222222";
    private const string Grid = "#dddddd";
    private static readonly string[] Colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#b8a800"];

    private static readonly double[] Steps = [1, 2, 5, 10];

    /// <summary>The text of an SVG file.</summary>
    /// <param name="title">In large letters.</param>
    /// <param name="subtitle">Below it.</param>
    /// <param name="charts">At least one.</param>
    public static string Write(string title, string subtitle, IReadOnlyList<Chart> charts)
    {
        ArgumentNullException.ThrowIfNull(charts);
        var text = new StringBuilder();
        using (var xml = XmlWriter.Create(text, new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true, NewLineChars = "\n" }))
        {
            var height = Header + charts.Count * ChartHeight;
            xml.WriteStartElement("svg", "http://www.w3.org/2000/svg");
            Attributes(xml, ("viewBox", $"0 0 {Number(Width)} {Number(height)}"), ("width", Number(Width)), ("height", Number(height)), ("font-family", "Helvetica, Arial, sans-serif"), ("font-size", "12"), ("fill", Ink));
            Element(xml, "title", title);
            Rectangle(xml, 0, 0, Width, height, "#ffffff");
            Text(xml, title, 24, 30, ("font-size", "18"), ("font-weight", "bold"));
            Text(xml, subtitle, 24, 50, ("fill", "#555555"));
            for (var i = 0; i < charts.Count; i++)
                Draw(xml, charts[i], Header + i * ChartHeight);
            xml.WriteEndElement();
        }

        return text.Append('\n').ToString();
    }

    private static void Draw(XmlWriter xml, Chart chart, double offset)
    {
        var all = chart.Series.SelectMany(series => series.Points).ToArray();
        var highest = all.Select(point => point.High).DefaultIfEmpty(0).Max();
        var lowest = chart.ToScale ? all.Select(point => point.Low).DefaultIfEmpty(0).Min() : 0;
        var step = Step((highest - lowest) / 5);
        var bottom = Math.Floor(lowest / step) * step;
        var top = Math.Max(Math.Ceiling(highest / step) * step, bottom + step);
        var furthest = Math.Max(all.Select(point => point.X).DefaultIfEmpty(0).Max(), 1);
        double[] places = chart.ToScale ? [.. Multiples(Step(furthest / 8), furthest)] : [.. all.Select(point => point.X).Distinct().Order()];
        xml.WriteStartElement("g");
        Attributes(xml, ("transform", $"translate(0 {Number(offset)})"));
        Text(xml, chart.Title, Left, 24, ("font-size", "14"), ("font-weight", "bold"));
        for (var tick = bottom; tick <= top + step / 2; tick += step)
        {
            Line(xml, Left, Y(tick), Left + PlotWidth, Y(tick), tick == bottom ? Ink : Grid);
            Text(xml, Tick(tick), Left - 8, Y(tick) + 4, ("text-anchor", "end"));
        }

        foreach (var place in places)
        {
            Line(xml, X(place), Top + PlotHeight, X(place), Top + PlotHeight + 5, Ink);
            Text(xml, Tick(place), X(place), Top + PlotHeight + 20, ("text-anchor", "middle"));
        }

        Text(xml, chart.XLabel, Left + PlotWidth / 2, Top + PlotHeight + 42, ("text-anchor", "middle"));
        Text(xml, chart.YLabel, 0, 0, ("text-anchor", "middle"), ("transform", $"translate(20 {Number(Top + PlotHeight / 2)}) rotate(-90)"));
        for (var i = 0; i < chart.Series.Count; i++)
            Draw(chart.Series[i], i);
        xml.WriteEndElement();

        double X(double value) => Left + PlotWidth * (chart.ToScale ? value / furthest : (Array.IndexOf(places, value) + 0.5) / places.Length);
        double Y(double value) => Top + PlotHeight * (1 - (value - bottom) / (top - bottom));

        void Draw(Series series, int index)
        {
            var colour = Colours[index % Colours.Length];
            var points = series.Points.OrderBy(point => point.X).ToArray();
            xml.WriteStartElement("polyline");
            Attributes(xml, ("points", string.Join(' ', points.Select(point => $"{Number(X(point.X))},{Number(Y(point.Y))}"))), ("fill", "none"), ("stroke", colour), ("stroke-width", "2"));
            // A second round of the palette is dashed.
            if (index >= Colours.Length)
                Attributes(xml, ("stroke-dasharray", "6 4"));
            xml.WriteEndElement();
            foreach (var point in points.Length > MostMarks && chart.ToScale ? [] : points)
            {
                Line(xml, X(point.X), Y(point.Low), X(point.X), Y(point.High), colour);
                Circle(xml, X(point.X), Y(point.Y), colour);
            }

            var row = Top + 8 + 18 * index;
            Line(xml, Left + PlotWidth + 18, row, Left + PlotWidth + 38, row, colour);
            Circle(xml, Left + PlotWidth + 28, row, colour);
            Text(xml, series.Name, Left + PlotWidth + 44, row + 4);
        }
    }

    private static IEnumerable<double> Multiples(double step, double most)
    {
        for (var i = 0; i * step <= most * (1 + 1e-9); i++)
            yield return i * step;
    }

    /// <summary>1, 2 or 5 times a power of ten, no less than a value.</summary>
    private static double Step(double least)
    {
        if (!(least > 0))
            return 1;
        var power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        return Steps.Select(factor => factor * power).First(step => step >= least * (1 - 1e-9));
    }

    private static string Tick(double value) => value.ToString(value < 10 ? "0.###" : "#,0.#", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static void Line(XmlWriter xml, double x1, double y1, double x2, double y2, string colour) =>
        Shape(xml, "line", ("x1", Number(x1)), ("y1", Number(y1)), ("x2", Number(x2)), ("y2", Number(y2)), ("stroke", colour));

    private static void Circle(XmlWriter xml, double x, double y, string colour) =>
        Shape(xml, "circle", ("cx", Number(x)), ("cy", Number(y)), ("r", "3.5"), ("fill", colour));

    private static void Rectangle(XmlWriter xml, double x, double y, double width, double height, string colour) =>
        Shape(xml, "rect", ("x", Number(x)), ("y", Number(y)), ("width", Number(width)), ("height", Number(height)), ("fill", colour));

    private static void Text(XmlWriter xml, string text, double x, double y, params (string Name, string Value)[] attributes) =>
        Element(xml, "text", text, [("x", Number(x)), ("y", Number(y)), .. attributes]);

    private static void Element(XmlWriter xml, string name, string text, params (string Name, string Value)[] attributes)
    {
        xml.WriteStartElement(name);
        Attributes(xml, attributes);
        // XML has no control characters, whatever a driver calls its device.
        xml.WriteString(string.Concat(text.Where(XmlConvert.IsXmlChar)));
        xml.WriteEndElement();
    }

    private static void Shape(XmlWriter xml, string name, params (string Name, string Value)[] attributes)
    {
        xml.WriteStartElement(name);
        Attributes(xml, attributes);
        xml.WriteEndElement();
    }

    private static void Attributes(XmlWriter xml, params (string Name, string Value)[] attributes)
    {
        foreach (var (name, value) in attributes)
            xml.WriteAttributeString(name, value);
    }
}
