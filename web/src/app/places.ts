import {
  IconAlertTriangle, IconBook2, IconChartDots3, IconGavel, IconInbox, IconLayoutDashboard, IconPlayerPlay,
  IconSettings, IconShieldCheck, IconTopologyStar3,
} from '@tabler/icons-react'

/** The places of the console, in the order of the navigation; `key` follows a `g`. */
export const places = [
  { to: '/', label: 'Inbox', key: 'i', icon: IconInbox, about: 'What needs you' },
  { to: '/findings', label: 'Findings', key: 'f', icon: IconAlertTriangle, about: 'Alerts, drift and violations' },
  { to: '/estate', label: 'Estate', key: 'e', icon: IconTopologyStar3, about: 'Resources and what depends on what' },
  { to: '/runbooks', label: 'Runbooks', key: 'b', icon: IconBook2, about: 'What may be done, and when' },
  { to: '/executions', label: 'Executions', key: 'x', icon: IconPlayerPlay, about: 'What runs and what ran' },
  { to: '/risk', label: 'Risk', key: 'r', icon: IconChartDots3, about: 'What is believed, and what it was worth' },
  { to: '/audit', label: 'Audit', key: 'a', icon: IconShieldCheck, about: 'The signed log and its proofs' },
  { to: '/governance', label: 'Governance', key: 'p', icon: IconGavel, about: 'Policies, windows, limits, breakers, exceptions' },
  { to: '/overview', label: 'Overview', key: 'o', icon: IconLayoutDashboard, about: 'How things stand and went' },
  { to: '/settings', label: 'Settings', key: 's', icon: IconSettings, about: 'People, keys, connections' },
] as const
