// Visits and customers: the customer of a visit is found by typing.

import { pickers } from "./picker.js";

pickers();
