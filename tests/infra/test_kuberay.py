"""The Kubernetes objects: pods and built-in kinds against Kubernetes' own schemas, Ray's kinds against the names below
and Ray's own reader. KubeRay's CRDs are in no package that can be installed, so their full schemas are not checked."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import ray
import yaml
from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr as ray_reads

FOLDER = Path(__file__).parents[2] / "infra/kuberay"
VERSIONS = ["1.31", kubernetes_validate.latest_version()]  # since 1.31 a Job's podFailurePolicy is stable
GROUP = {"rayStartParams", "template"}

# Of KubeRay's API (ray.io/v1, release 1.5.1): the fields that these files may use.
FIELDS = {
    "RayJob": {
        *("entrypoint", "submissionMode", "submitterConfig", "backoffLimit", "shutdownAfterJobFinishes"),
        *("ttlSecondsAfterFinished", "rayClusterSpec"),
    },
    "RayCluster": {"rayVersion", "authOptions", "headGroupSpec", "workerGroupSpecs"},
    "head": GROUP,
    "worker": {*GROUP, "groupName", "replicas", "minReplicas", "maxReplicas"},
}


def read(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def gpu_cluster() -> dict[str, Any]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed: the GPU overlay cannot be rendered")
    rendered = subprocess.run(["kubectl", "kustomize", str(FOLDER / "gpu")], capture_output=True, text=True)
    assert rendered.returncode == 0, rendered.stderr
    return next(thing for thing in yaml.safe_load_all(rendered.stdout) if thing["kind"] == "RayCluster")


def cluster_spec(name: str) -> dict[str, Any]:
    if name == "gpu":
        return gpu_cluster()["spec"]
    spec = read(name)[0]["spec"]
    return spec["rayClusterSpec"] if name == "rayjob.yaml" else spec


CLUSTERS = ["base/raycluster.yaml", "rayjob.yaml", "gpu"]


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_ray_cluster_uses_fields_that_kuberay_has_and_pods_that_kubernetes_takes(name: str) -> None:
    spec = cluster_spec(name)
    assert set(spec) <= FIELDS["RayCluster"]
    assert spec["authOptions"] == {"mode": "token"}
    assert spec["rayVersion"] == ray.__version__
    assert set(spec["headGroupSpec"]) <= FIELDS["head"]
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    for group in spec["workerGroupSpecs"]:
        assert set(group) <= FIELDS["worker"]
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    for group in groups:
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}} | group["template"]
        for version in VERSIONS:
            kubernetes_validate.validate(pod, version, strict=True)
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert len({group["template"]["spec"]["containers"][0]["image"] for group in groups}) == 1


@pytest.mark.parametrize(("name", "workers"), [(CLUSTERS[0], {"CPU": 4}), (CLUSTERS[2], {"CPU": 64, "GPU": 8})])
def test_ray_itself_reads_the_resources_that_are_meant(name: str, workers: dict[str, int]) -> None:
    metadata = {"name": "seedbed", "namespace": "default"}
    types = ray_reads({"metadata": metadata, "spec": cluster_spec(name)})["available_node_types"]
    resources = {
        group: {key: value for key, value in found["resources"].items() if key != "memory"}
        for group, found in types.items()
    }
    assert resources.pop("headgroup") == {"CPU": 0}
    assert list(resources.values()) == [workers]


def test_a_ray_job_goes_on_after_a_lost_head_and_stops_its_driver_first() -> None:
    spec = read("rayjob.yaml")[0]["spec"]
    assert set(spec) <= FIELDS["RayJob"]
    assert spec["entrypoint"].endswith("--set cluster.address=auto")
    assert spec["backoffLimit"] > 0 and spec["shutdownAfterJobFinishes"]
    head = spec["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    assert "pkill -TERM" in head["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][-1]
    assert head["terminationGracePeriodSeconds"] >= 300


@pytest.mark.parametrize("name", ["run.yaml", "base/places.yaml"])
def test_kubernetes_takes_the_kinds_that_are_its_own(name: str) -> None:
    for thing in read(name):
        for version in VERSIONS:
            kubernetes_validate.validate(thing, version, strict=True)


def test_a_job_tries_again_after_75_without_end_and_never_after_a_wrong_run_file_or_a_refused_budget() -> None:
    job = read("run.yaml")[0]["spec"]
    by_code = {
        code: rule["action"]
        for rule in job["podFailurePolicy"]["rules"]
        for code in rule.get("onExitCodes", {}).get("values", [])
    }
    assert by_code == {75: "Ignore", 2: "FailJob", 3: "FailJob"}
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"  # without it, the policy is refused
    assert pod["containers"][0]["name"] == "driver"
    assert pod["containers"][0]["command"] == ["tini", "--", "driver"]


def test_all_pods_share_one_image_and_what_they_mount_is_declared() -> None:
    job = read("run.yaml")[0]["spec"]["template"]["spec"]
    cluster = cluster_spec("base/raycluster.yaml")
    assert job["containers"][0]["image"] == cluster["headGroupSpec"]["template"]["spec"]["containers"][0]["image"]
    pods = [job] + [
        group["template"]["spec"]
        for name in CLUSTERS[:2]
        for group in [cluster_spec(name)["headGroupSpec"], *cluster_spec(name)["workerGroupSpecs"]]
    ]
    for pod in pods:
        declared = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == declared
