"""A flow that the real client runs for the dashboard's tests: tasks that depend on each other, log lines. Run as a
program."""
from prefect import flow, get_run_logger, task


@task
def extract():
    get_run_logger().info("Reading the source")
    return [1, 2, 3]


@task
def double(number):
    return 2 * number


@task
def load(numbers):
    get_run_logger().warning("Storing %d numbers", len(numbers))


@flow(name="seeded-by-client", flow_run_name="run-by-client")
def seeded():
    get_run_logger().info("The flow has begun")
    load(double.map(extract()))


if __name__ == "__main__":
    seeded()
