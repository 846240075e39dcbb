//! What the captures show of features that are tested, or made, elsewhere.

/// Of `topology.json`.
pub(crate) const FIRST: &[&str] = &[
    // Routing slips.
    "MassTransit.Courier.Contracts:RoutingSlip",
    "MassTransit.Courier.Contracts:RoutingSlipActivityCompensated",
    "MassTransit.Courier.Contracts:RoutingSlipActivityCompleted",
    "MassTransit.Courier.Contracts:RoutingSlipActivityFaulted",
    "MassTransit.Courier.Contracts:RoutingSlipCompensationFailed",
    "MassTransit.Courier.Contracts:RoutingSlipCompleted",
    "MassTransit.Courier.Contracts:RoutingSlipFaulted",
    "MassTransit:Fault--MassTransit.Courier.Contracts:RoutingSlip--",
    "charge_compensate",
    "charge_execute",
    "reserve_compensate",
    "reserve_execute",
    "slip-observer",
    "slip-subscriber",
    // The scheduler.
    "quartz",
    "scheduled",
    "Shop.Contracts:Reminder",
    // The request client, and the bus's own endpoint.
    "Shop.Contracts:CheckStatus",
    "status",
    "status_error",
    "vm_mtpeer_bus_4ymyyyf4e8gbgensbdxwqy8mns",
    // The claim check.
    "Shop.Contracts:BigDocument",
    "documents",
];

/// Of `topology-more.json`.
pub(crate) const MORE: &[&str] = &[
    // Routing slips.
    "MassTransit.Courier.Contracts:RoutingSlip",
    "MassTransit.Courier.Contracts:RoutingSlipActivityCompensated",
    "MassTransit.Courier.Contracts:RoutingSlipActivityCompensationFailed",
    "MassTransit.Courier.Contracts:RoutingSlipActivityCompleted",
    "MassTransit.Courier.Contracts:RoutingSlipActivityFaulted",
    "MassTransit.Courier.Contracts:RoutingSlipCompensationFailed",
    "MassTransit.Courier.Contracts:RoutingSlipCompleted",
    "MassTransit.Courier.Contracts:RoutingSlipFaulted",
    "MassTransit.Courier.Contracts:RoutingSlipRevised",
    "MassTransit.Courier.Contracts:RoutingSlipTerminated",
    "MassTransit:Fault--MassTransit.Courier.Contracts:RoutingSlip--",
    "failing_compensate",
    "failing_execute",
    "faulting_compensate",
    "faulting_execute",
    "nolog_compensate",
    "nolog_execute",
    "plain_compensate",
    "plain_execute",
    "revising_compensate",
    "revising_execute",
    "stuck_compensate",
    "stuck_execute",
    "terminating_compensate",
    "terminating_execute",
    "m-observer",
    "m-observer2",
    "s-completed",
    "s-data",
    // The saga, with its request and its scheduler.
    "MassTransit.Contracts:RequestTimeoutExpired--Shop:ChargeCard--",
    "MassTransit:Fault--Shop:ChargeCard--",
    "Shop:CardCharged",
    "Shop:ChargeCard",
    "Shop:OrderPaid",
    "Shop:OrderPlaced",
    "Shop:PaymentExpired",
    "charger",
    "order-saga",
    "quartz",
];
