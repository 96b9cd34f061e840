"""Waits for runs of the instance in DAGSTER_HOME, and prints their steps; Dagster's Python runs it.

Prints a JSON list of `[asset, start, end, succeeded]`, one for every attempt of every step, in
seconds.
"""

from __future__ import annotations

import json
import sys
import time

import dagster as dg

BEGINNINGS = {dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_RESTARTED}
ENDS = {
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_UP_FOR_RETRY,
}
POLL_SECONDS = 0.5


def main(runs: int) -> None:
    """Wait until so many runs have ended, and print their steps."""
    with dg.DagsterInstance.get() as instance:
        while sum(run.is_finished for run in instance.get_runs()) < runs:
            time.sleep(POLL_SECONDS)
        attempts = []
        for run in instance.get_runs():
            if not run.is_success:
                sys.exit(f"{run.job_name} {run.tags}: {run.status}")
            begun: dict[str, float] = {}
            for entry in instance.all_logs(run.run_id):
                event = entry.dagster_event
                if event is None or event.step_key is None:
                    continue
                if event.event_type in BEGINNINGS:
                    begun[event.step_key] = entry.timestamp
                elif event.event_type in ENDS:
                    succeeded = event.event_type is dg.DagsterEventType.STEP_SUCCESS
                    began = begun.pop(event.step_key)
                    attempts.append((event.step_key, began, entry.timestamp, succeeded))
    print(json.dumps(attempts))


if __name__ == "__main__":
    main(int(sys.argv[1]))
