/* watch/process.h -- what the system says about this process. */
#ifndef ORION_PROCESS_H
#define ORION_PROCESS_H

/* Each is negative if it cannot be found out. */
double process_cpu_seconds(void); /* of the user and of the system, together */
double process_resident_bytes(void);
double process_descriptors(void); /* that are open */
double process_descriptors_max(void);

#endif
