"""Values of figures as they are drawn: names in a language, arrays of NumPy."""

from __future__ import annotations

import numpy as np

from labreport.report.illustration.drawings import Curve, Picture, Points, Region, Trajectory

DrawnCurve = Curve[str, np.ndarray]
DrawnTrajectory = Trajectory[str, np.ndarray]
DrawnPoints = Points[str, np.ndarray]
DrawnRegion = Region[str, np.ndarray]
DrawnPicture = Picture[str, np.ndarray]
