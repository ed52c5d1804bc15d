using System.Globalization;
using System.Xml.Linq;
using RetNet.Bench.Plots;

namespace RetNet.Bench.Tests.Plots;

public sealed class SvgPageTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private static Chart Sample { get; } = new("Speed", "length", "tokens/s",
    [
        new("a < b & \"c\"", [new(2048, 50, 40, 60), new(0, 100, 90, 120)]),
        new("other", [new(512, 30, 30, 30)]),
    ]);

    [Fact]
    public void TextIsKeptAndEscaped()
    {
        var texts = Draw("a <title>\u0001", Sample).Descendants(Svg + "text").Select(text => text.Value).ToArray();

        Assert.Contains("a <title>", texts);
        Assert.Contains("a < b & \"c\"", texts);
        foreach (var label in new[] { "Speed", "length", "tokens/s", "other", "0", "512", "2,048", "150" })
            Assert.Contains(label, texts);
    }

    [Fact]
    public void PointsStandInOrderAndToScale()
    {
        var page = Draw("title", Sample);
        var points = Points(page.Descendants(Svg + "polyline").First());
        var axis = page.Descendants(Svg + "text").Where(text => text.Value is "0" or "50" or "100" && text.Attribute("text-anchor")?.Value == "end").ToDictionary(text => text.Value, text => Number(text, "y") - 4);

        Assert.Equal(2, points.Length);
        Assert.True(points[0].X < points[1].X);
        Assert.Equal(axis["100"], points[0].Y, 0.02);
        Assert.Equal(axis["50"], points[1].Y, 0.02);
    }

    [Fact]
    public void BothAxesToScale()
    {
        var page = Draw("title", new Chart("Loss", "step", "nats", [new("training", [new(0, 6, 6, 6), new(25, 5, 5, 5), new(100, 4, 4, 4)])]) { ToScale = true });
        var points = Points(page.Descendants(Svg + "polyline").First());

        Assert.Equal(0.25, (points[1].X - points[0].X) / (points[2].X - points[0].X), 0.001);
        Assert.Equal(0.5, (points[1].Y - points[0].Y) / (points[2].Y - points[0].Y), 0.001);
        Assert.True(points[2].Y - points[0].Y > 200, "the curve fills the chart");
    }

    [Fact]
    public void EverythingIsOnThePage()
    {
        var page = Draw("title", Sample, new("nothing yet", "x", "y", [new("zero", [new(1, 0, 0, 0)]), new("empty", [])]));
        var (width, height) = (Number(page.Root!, "width"), Number(page.Root!, "height"));

        foreach (var (x, y) in page.Descendants(Svg + "polyline").SelectMany(Points))
        {
            Assert.InRange(x, 0, width);
            Assert.InRange(y, 0, height);
        }
    }

    private static XDocument Draw(string title, params Chart[] charts) => XDocument.Parse(SvgPage.Write(title, "subtitle", charts));

    private static double Number(XElement element, string name) => double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture);

    private static (double X, double Y)[] Points(XElement line) =>
    [
        .. line.Attribute("points")!.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(point => point.Split(',').Select(part => double.Parse(part, CultureInfo.InvariantCulture)).ToArray()).Select(pair => (pair[0], pair[1])),
    ];
}
