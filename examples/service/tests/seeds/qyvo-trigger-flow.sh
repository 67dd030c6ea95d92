curl -X POST https://www.qyvo.io/api/v1/actions/trigger-flow \
-H "Authorization: Bearer YOUR_TOKEN_HERE" \
-H "Content-Type: application/json" \
-d '{
"flow_id": "01J3F...",
"phone": "+14155550123",
"context": { "cart_id": "987654321", "cart_total": "129.00" }
}'
