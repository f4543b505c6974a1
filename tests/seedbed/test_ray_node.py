from seedbed.ray_node import Gpu, Node

HEAD = {
    "hostname": "one",
    "cpu": 12.5,
    "mem": [8_000, 5_000, 37.5, 3_000],
    "disk": {"/": {"total": 100, "used": 60, "free": 40, "percent": 60.0}, "/tmp/ray": {"total": 7, "used": 7}},
    "gpus": [{"index": 0, "name": "A100", "utilizationGpu": 40, "memoryUsed": 2, "memoryTotal": 8}],
    "raylet": {
        "nodeId": "ab12",
        "nodeManagerAddress": "10.0.0.1",
        "nodeManagerHostname": "one",
        "state": "ALIVE",
        "isHeadNode": True,
        "stateMessage": None,
        "resourcesTotal": {"CPU": 4.0, "node:10.0.0.1": 1.0, "memory": 5e9},
    },
}


def test_a_node_has_what_ray_gives_out_and_what_the_machine_measures():
    usage = "1.0/4.0 CPU\n0.0/1.0 GPU\n0B/3.41GiB memory\n0B/256.00MiB object_store_memory"
    node = Node.from_summary(HEAD, {"ab12": usage})
    assert node == Node(
        id="ab12",
        address="10.0.0.1",
        hostname="one",
        alive=True,
        is_head=True,
        reason=None,
        resources_total={"CPU": 4.0, "GPU": 1.0},
        resources_used={"CPU": 1.0, "GPU": 0.0},
        cpu_percent=12.5,
        memory_total_bytes=8_000,
        memory_used_bytes=3_000,
        disk_total_bytes=100,
        disk_used_bytes=60,
        gpus=(Gpu(0, "A100", 40, 2 << 20, 8 << 20),),
    )


def test_what_a_placement_group_holds_is_used_whether_it_works_or_not():
    # Ray prints 1 used of the group's 2, and counts the group's idle CPU as free; nobody else can have it.
    usage = "1.0/4.0 CPU (1.0 used of 2.0 reserved in placement groups)"
    assert Node.from_summary(HEAD, {"ab12": usage}).resources_used == {"CPU": 2.0}


def test_the_old_autoscaler_names_nodes_by_their_address():
    assert Node.from_summary(HEAD, {"10.0.0.1": "3.0/4.0 CPU"}).resources_used == {"CPU": 3.0}


def test_a_node_that_has_just_joined_has_what_it_announced_and_no_measurements():
    node = Node.from_summary({"raylet": HEAD["raylet"]}, {})
    assert (node.resources_total, node.resources_used) == ({"CPU": 4.0}, {})
    assert (node.cpu_percent, node.memory_total_bytes, node.disk_used_bytes, node.gpus) == (None, None, None, ())


def test_a_dead_node_says_why_and_has_nothing():
    dead = HEAD | {"raylet": HEAD["raylet"] | {"state": "DEAD", "stateMessage": "health check failed"}}
    node = Node.from_summary(dead, {"ab12": "1.0/4.0 CPU"})
    assert (node.alive, node.reason, node.resources_used) == (False, "health check failed", {})
