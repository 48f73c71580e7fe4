// The chart is drawn from the table below it, so that both can never say different things.
"use strict";
(() => {
  const place = document.getElementById("chart");
  const rows = [...document.querySelectorAll("#months tbody tr")];
  if (!place || !rows.length) return;
  place.hidden = false;
  const words = place.dataset;
  const months = rows.map((row) => row.dataset.month.replace("-", "/"));
  const figures = (name) => rows.map((row) => (row.dataset[name] === "" ? null : Number(row.dataset[name])));
  const ink = { color: "#333333", fontSize: 14 };
  const chart = echarts.init(place, null, { renderer: "svg" });
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    color: ["#0017c1", "#00428c", "#a90000"],
    // Told apart without colour too; the bars' labels stand in the table.
    aria: { enabled: true, label: { description: place.getAttribute("aria-label") }, decal: { show: true } },
    legend: { top: 0, textStyle: ink },
    grid: { left: 8, right: 8, top: 44, bottom: 4, containLabel: true },
    tooltip: { trigger: "axis", renderMode: "richText" },
    xAxis: { type: "category", data: months, axisLabel: ink },
    yAxis: { type: "value", minInterval: 1, axisLabel: ink },
    series: [
      { name: words.arrivals, type: "bar", data: figures("arrivals") },
      { name: words.paper, type: "bar", data: figures("paper") },
      { name: words.target, type: "line", step: "middle", data: figures("most"), symbol: "diamond", symbolSize: 8,
        lineStyle: { type: "dashed", width: 2 } },
    ],
  });
  addEventListener("resize", () => chart.resize());
})();
