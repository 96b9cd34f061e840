select
    names as reports_that_name,
    order_reports,
    orders
from analytics.order_report_matches
order by order_reports desc, names
