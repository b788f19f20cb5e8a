"""What programs import, and what decides how an import comes out."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["EARLY", "Lesson", "Wanted"]

#: what these say is read by the system, by Python as it starts, or by native libraries, which nobody can watch
EARLY = (
    *(
        "PYTHON",
        "LC_",
        "LANG",
        "TZ",
        "LD_",
        "MALLOC_",
        "GLIBC_",
        "OMP_",
        "GOMP_",
        "KMP_",
        "MKL_",
        "OPENBLAS_",
        "BLIS_",
    ),
    *(
        "GOTO_",
        "VECLIB_",
        "NUMEXPR_",
        "NPY_",
        "NUMPY_",
        "ATEN_",
        "DNNL_",
        "ONEDNN_",
        "CUDA_",
        "CUBLAS_",
        "CUDNN_",
    ),
    *(
        "NVIDIA_",
        "NCCL_",
        "HIP_",
        "HSA_",
        "ROC",
        "TF_",
        "XLA_",
        "JAX_",
        "PYTORCH_",
        "TORCH_C",
        "TORCH_ALLOW",
        "TORCH_SHOW",
    ),
)


@dataclass(frozen=True)
class Wanted:
    """A module that a program imports."""

    name: str
    #: the names that it imports from it
    members: list[str] = field(default_factory=list)
    #: the variables that the program sets before
    set: list[str] = field(default_factory=list)
    #: whether it comes in later, through another module: what it does to the environment is done later, too
    late: bool = False


@dataclass(frozen=True)
class Lesson:
    """What a program tells at its end: what it has imported as it ran, through other modules or in functions."""

    #: in the order of the imports
    names: list[str]
    #: where the first parts of these names were found
    origins: dict[str, str]
    #: the variables that it set or removed
    changed: set[str]
