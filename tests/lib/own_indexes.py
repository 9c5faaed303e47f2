"""Our own indexes: all that a server's schema may have beside the reference's. `orion database indexes` lists, makes
and drops them."""
import subprocess

from tests.lib import servers

NAMES = {
    "sqlite": ["orion_flow_run_cancelling_by_name", "orion_flow_run_cancelling_by_type", "orion_flow_run_deployment",
               "orion_flow_run_flow", "orion_flow_run_history", "orion_flow_run_start_time",
               "orion_flow_run_unfinished_subflows", "orion_flow_run_waiting_by_name",
               "orion_flow_run_waiting_by_queue", "orion_flow_run_work_queue",
               "orion_task_run_history", "orion_task_run_states"],
    "postgresql": ["orion_flow_run_cancelling_by_name", "orion_flow_run_cancelling_by_type", "orion_flow_run_history",
                   "orion_flow_run_start_time", "orion_flow_run_tags", "orion_flow_run_waiting_by_name",
                   "orion_flow_run_waiting_by_queue", "orion_task_run_history", "orion_task_run_states"],
}
LIST = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'orion%' ORDER BY 1",
    "postgresql": """SELECT c.relname FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indexrelid
                     WHERE x.indisvalid AND c.relname LIKE 'orion%' ORDER BY 1""",
}


def present(store):
    """The names of those that can be used, sorted."""
    return [name for name, in store.execute(LIST[store.engine])]


def command(store, *words):
    """`orion database indexes`; (status, lines of both outputs)."""
    environment = servers.server_environment("/nonexistent", PREFECT_ORION_DATABASE_CONNECTION_URL=store.url)
    done = subprocess.run([servers.ORION_BIN, "database", "indexes", *words], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    return done.returncode, done.stdout.splitlines()
