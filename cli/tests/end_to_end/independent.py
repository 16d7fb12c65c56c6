"""Computes the tables of an exported sweep from its raw points, with pandas alone, and compares them with acai's.

Usage: independent.py FOLDER, which `acai export` has made. Also reads the points with DuckDB and polars.
"""

import sys

import duckdb
import pandas as pd
import polars as pl

folder = sys.argv[1]
runs = pd.read_json(f"{folder}/runs.jsonl", lines=True)
points = pd.read_parquet(f"{folder}/points.parquet")

# Three readers see the same points.
query = f"select metric, count(*) as n, sum(value) as total from '{folder}/points.parquet' group by metric order by metric"
by_duckdb = duckdb.sql(query).df()
by_polars = (
    pl.read_parquet(f"{folder}/points.parquet").group_by("metric").agg(pl.len().alias("n"), pl.col("value").sum().alias("total"))
).sort("metric")
by_pandas = points.groupby("metric").value.agg(["size", "sum"]).reset_index()
for other in by_duckdb.values.tolist(), by_polars.rows():
    assert [row[0] for row in other] == by_pandas.metric.tolist()
    assert [row[1] for row in other] == by_pandas["size"].tolist()
    assert all(abs(row[2] - total) < 1e-9 for row, total in zip(other, by_pandas["sum"]))

# The last value of each metric of the completed runs.
last = points.sort_values("step").groupby(["run", "metric"]).value.last().reset_index()
last = last.merge(runs[runs.state == "completed"], on="run")
# Without a critic gamma has no effect: such a run stands for each of the sweep's values.
gammas = sorted(runs.gamma.unique())
shared = last[last["lambda"] == 0].drop(columns="gamma").merge(pd.DataFrame({"gamma": gammas}), how="cross")
last = pd.concat([last[last["lambda"] != 0], shared])
groups = last.groupby(["dataset", "lambda", "gamma", "metric"]).value
expected = groups.agg(mean="mean", std=lambda values: values.std(ddof=0), n="size")

table = pd.read_csv(f"{folder}/results.csv")
compared = 0
for _, row in table.iterrows():
    for metric in [column.removesuffix("_mean") for column in table.columns if column.endswith("_mean")]:
        one = expected.loc[(row.dataset, row["lambda"], row.gamma, metric)]
        assert row[f"{metric}_n"] == one.n, (metric, row)
        for what in "mean", "std":
            found = row[f"{metric}_{what}"]
            assert abs(found - one[what]) <= 1e-12 * max(1, abs(one[what])), (metric, what, found, one[what])
            compared += 1
print(f"{compared} figures agree")
